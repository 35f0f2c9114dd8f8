"""Record text: understood whole, with negation, suspicion, history, side and time, or not read at all."""

import pytest

from fhir_mappings.text_reading import Mention, read_text


def said(mention: Mention) -> str:
    """A mention in one line: -absent, ?suspected, was: (history), family:, then side, site, course, grade and time."""
    words = ["-" if not mention.present else "", "?" if mention.suspected else "", "was:" if mention.history else ""]
    words += ["family:" if mention.family else "", mention.concept]
    details = [mention.side, mention.site, mention.course, mention.acuity, mention.since]
    if mention.grade is not None:
        details.append(f"{mention.grade}/5")
    if mention.days_ago is not None:
        longest = "" if mention.days_ago.longest is None else mention.days_ago.longest
        details.append(f"{mention.days_ago.shortest}..{longest}")
    return "".join(words) + "".join(f" {detail}" for detail in details if detail)


READ = [
    # the back and the legs
    ("Low back pain", ["low-back-pain"]),
    ("LBP", ["low-back-pain"]),
    ("lumbago", ["low-back-pain"]),
    ("Low back pain, unspecified", ["low-back-pain"]),
    ("pain in the lower back", ["low-back-pain"]),
    ("Backache", ["back-pain-unspecified"]),
    ("mechanical LBP", ["low-back-pain"]),
    ("Acute low back pain", ["low-back-pain acute"]),
    ("chronic LBP", ["low-back-pain chronic"]),
    ("acute on chronic LBP", ["low-back-pain acute-on-chronic"]),
    ("Chronic midline low back pain without sciatica", ["low-back-pain chronic", "-sciatica"]),
    ("Chronic bilateral low back pain with left-sided sciatica", ["low-back-pain bilateral chronic", "sciatica left"]),
    ("Lumbago with sciatica, right side", ["low-back-pain", "sciatica right"]),
    (
        "Low back pain, unspecified back pain laterality, unspecified chronicity, unspecified whether sciatica present",
        ["low-back-pain"],
    ),
    ("72M with LBP", ["low-back-pain"]),
    ("45 yo female with acute low back pain", ["low-back-pain acute"]),
    ("Sciatica (left)", ["sciatica left"]),
    ("lt sciatica", ["sciatica left"]),
    ("L sided sciatica", ["sciatica left"]),
    ("Rt leg sciatica", ["sciatica right"]),
    ("pain radiating to left leg", ["sciatica left"]),
    ("LBP radiating down the right leg", ["low-back-pain", "sciatica right"]),
    ("worsening low back pain radiating to both legs", ["low-back-pain worsening", "bilateral-sciatica bilateral"]),
    ("Bilateral sciatica", ["bilateral-sciatica"]),
    ("sciatica, bilateral", ["bilateral-sciatica bilateral"]),
    ("Lumbar radiculopathy", ["lumbar-radiculopathy"]),
    ("L5 radiculopathy", ["lumbar-radiculopathy l5"]),
    ("Lumbar radiculopathy, left L5", ["lumbar-radiculopathy left l5"]),
    ("S1 radiculopathy, right", ["lumbar-radiculopathy right s1"]),
    ("herniated lumbar discs", ["lumbar-disc-displacement"]),
    ("L4/5 disc prolapse", ["lumbar-disc-displacement"]),
    ("L5-S1 disc herniation", ["lumbar-disc-displacement"]),
    ("Slipped disk", ["lumbar-disc-displacement"]),
    ("DDD (degenerative disc disease), lumbar", ["lumbar-disc-degeneration", "lumbar-disc-degeneration"]),
    (
        "Intervertebral disc disorders with radiculopathy, lumbar region",
        ["lumbar-disc-displacement", "lumbar-radiculopathy"],
    ),
    (
        "Spinal stenosis of lumbar region with neurogenic claudication",
        ["lumbar-spinal-stenosis", "neurogenic-claudication"],
    ),
    ("?spinal stenosis", ["?spinal-stenosis-level-unspecified"]),
    ("spondylolisthesis L5/S1", ["lumbar-spondylolisthesis"]),
    ("coccydynia", ["coccyx-sacrum-disorder"]),
    ("low back strain after fall", ["lumbar-strain", "fall"]),
    # strength and sensation
    ("Left leg weakness", ["lower-limb-weakness left"]),
    ("weakness in left leg", ["lower-limb-weakness left"]),
    ("weakness of the right lower extremity", ["lower-limb-weakness right"]),
    ("left leg weakness 4/5", ["lower-limb-weakness left 4/5"]),
    ("EHL 3/5 left", ["muscle-strength left great-toe-extension 3/5"]),
    ("3/5 left ankle dorsiflexion", ["muscle-strength left ankle-dorsiflexion 3/5"]),
    ("knee extension 4-/5 right", ["muscle-strength right knee-extension 4/5"]),
    ("right dorsiflexion weakness", ["lower-limb-weakness right ankle-dorsiflexion"]),
    ("Foot drop, left foot", ["foot-drop left"]),
    ("Left foot drop since 2015", ["foot-drop left 2015"]),
    ("sudden onset foot-drop", ["foot-drop acute"]),
    ("worsening foot drop", ["progressive-weakness"]),
    ("progressive weakness of left leg over 2 weeks", ["progressive-weakness left 14..20"]),
    ("left leg weakness getting worse", ["progressive-weakness left"]),
    ("left foot drop, worsening", ["foot-drop left worsening", "progressive-weakness left"]),
    ("progressive bilateral leg weakness", ["progressive-weakness bilateral"]),
    ("bilateral leg weakness", ["paraparesis"]),
    ("weakness in both legs", ["paraparesis"]),
    ("Weakness, left leg", ["lower-limb-weakness left"]),
    ("Left leg weakness and numbness", ["lower-limb-weakness left", "lower-limb-sensory-loss left"]),
    ("left leg pain and numbness", ["lower-limb-pain left", "lower-limb-sensory-loss left"]),
    ("numbness of right foot", ["lower-limb-sensory-loss right"]),
    ("pins and needles in left foot", ["lower-limb-sensory-loss left"]),
    ("numbness left L5 dermatome", ["dermatomal-sensory-loss left l5"]),
    ("reduced sensation in S1 distribution", ["dermatomal-sensory-loss s1"]),
    ("absent left ankle jerk", ["ankle-reflex-reduced left"]),
    ("SLR positive left", ["straight-leg-raise left"]),
    ("straight leg raise negative", ["-straight-leg-raise"]),
    ("neuro intact", ["neuro-exam-normal"]),
    ("power 5/5", ["lower-limb-strength-normal"]),
    ("sensation intact", ["lower-limb-sensation-normal"]),
    ("unable to heel walk left", ["heel-walk-unable left"]),
    # cauda equina
    (
        "LBP, numb bottom and can't pee since yday",
        ["low-back-pain", "saddle-anaesthesia 1..1", "urinary-retention 1..1"],
    ),
    ("Saddle anaesthesia", ["saddle-anaesthesia"]),
    ("saddle anesthesia", ["saddle-anaesthesia"]),
    ("numbness in the saddle area", ["saddle-anaesthesia"]),
    ("numb bum", ["saddle-anaesthesia"]),
    ("patient reports numbness around anus", ["saddle-anaesthesia"]),
    ("tingling in genitals", ["saddle-anaesthesia"]),
    ("can't feel when wiping", ["saddle-anaesthesia"]),
    ("unable to feel when wiping", ["saddle-anaesthesia"]),
    ("reduced perianal sensation on exam", ["saddle-anaesthesia"]),
    ("numbness S2-S4", ["saddle-anaesthesia"]),
    ("perineal numbness x 2 days", ["saddle-anaesthesia 2..2"]),
    ("Urinary retention", ["urinary-retention"]),
    ("retention of urine", ["urinary-retention"]),
    ("cannot urinate", ["urinary-retention"]),
    ("Unable to pass urine since this morning", ["urinary-retention 0..0"]),
    ("urine retention 2/7", ["urinary-retention 2..2"]),
    ("hasn't passed urine today", ["urinary-retention 0..0"]),
    ("urinary hesitancy", ["voiding-difficulty"]),
    ("difficulty in passing urine", ["voiding-difficulty"]),
    ("new urinary incontinence", ["urinary-incontinence new"]),
    ("loss of bladder control", ["urinary-incontinence"]),
    ("wetting herself", ["urinary-incontinence"]),
    ("faecal incontinence", ["faecal-incontinence"]),
    ("bowel incontinence since last night", ["faecal-incontinence 0..1"]),
    ("double incontinence", ["urinary-incontinence", "faecal-incontinence"]),
    ("loss of bladder sensation", ["bladder-sensation-loss"]),
    ("reduced anal tone", ["reduced-anal-tone"]),
    ("anal tone lax", ["reduced-anal-tone"]),
    ("normal anal tone", ["-reduced-anal-tone"]),
    ("erectile dysfunction", ["sexual-dysfunction"]),
    ("?CES", ["?cauda-equina-syndrome"]),
    ("r/o cauda equina syndrome", ["?cauda-equina-syndrome"]),
    ("concern for cauda equina", ["?cauda-equina-syndrome"]),
    ("LBP ?CES", ["low-back-pain", "?cauda-equina-syndrome"]),
    ("Cauda equina syndrome (HCC)", ["cauda-equina-syndrome"]),
    (
        "R/O cauda equina: saddle anesthesia, urinary retention",
        ["?cauda-equina-syndrome", "saddle-anaesthesia", "urinary-retention"],
    ),
    ("severe LBP + left sciatica", ["low-back-pain", "sciatica left"]),
    # infection, cancer, fracture, aorta
    ("fever", ["fever"]),
    ("Suspected discitis, fever 39.2", ["?discitis", "fever"]),
    ("IV drug user with fever and back pain", ["injecting-drug-use", "fever", "back-pain-unspecified"]),
    ("afebrile", ["-fever"]),
    ("Staphylococcus aureus bacteraemia", ["bacteraemia"]),
    ("HIV positive", ["hiv-infection"]),
    ("on long term steroids", ["corticosteroid-long-term"]),
    ("on methotrexate", ["immunosuppressant-drug"]),
    ("metastatic breast cancer", ["malignant-neoplasm"]),
    ("?mets", ["?bone-metastasis"]),
    ("Tumour", ["malignant-neoplasm"]),
    ("BCC", ["non-melanoma-skin-cancer"]),
    ("h/o breast cancer, new LBP", ["was:malignant-neoplasm", "low-back-pain new"]),
    ("Personal history of prostate cancer", ["was:malignant-neoplasm"]),
    ("PMH: breast cancer, osteoporosis", ["was:malignant-neoplasm", "osteoporosis"]),
    ("family history of breast cancer", ["family:malignant-neoplasm"]),
    ("mother had osteoporosis", ["family:osteoporosis"]),
    ("unexplained weight loss and night sweats", ["unexplained-weight-loss", "night-sweats"]),
    ("fell yesterday", ["fall 1..1"]),
    ("fall 3 days ago", ["fall 3..3"]),
    ("back pain after fall from standing height", ["back-pain-unspecified", "fall"]),
    ("MVC 2 days ago", ["major-trauma 2..2"]),
    ("Fell off ladder 2 days ago, back pain", ["major-trauma 2..2", "back-pain-unspecified"]),
    ("? fracture", ["?vertebral-fracture"]),
    ("#L2", ["vertebral-fracture"]),
    ("?fracture post fall", ["?vertebral-fracture", "fall"]),
    ("L1 compression fracture", ["vertebral-fracture"]),
    ("osteoporosis on alendronate", ["osteoporosis", "osteoporosis-treatment"]),
    ("midline spinal tenderness", ["midline-tenderness"]),
    ("?AAA", ["?abdominal-aortic-aneurysm"]),
    # time
    ("3 week history of low back pain", ["low-back-pain 21..27"]),
    ("LBP x 3/52 with left sciatica", ["low-back-pain 21..27", "sciatica left"]),
    ("LBP for 2-3 months", ["low-back-pain 60..123"]),
    ("LBP > 6 weeks", ["low-back-pain 42.."]),
    ("low back pain for years", ["low-back-pain 730.."]),
    ("back pain since last week", ["back-pain-unspecified 1..13"]),
    ("LBP for a few days", ["low-back-pain 2..6"]),
    ("LBP since March 2024", ["low-back-pain 2024-03"]),
    (
        "urinary retention for 2 years, LBP worse for 3 days",
        ["urinary-retention 730..1097", "low-back-pain worsening 3..3"],
    ),
    ("chronic LBP with saddle numbness since yesterday", ["low-back-pain chronic", "saddle-anaesthesia 1..1"]),
    ("LBP not improving after 6 weeks of physiotherapy", ["low-back-pain unchanged", "physical-therapy 42..48"]),
    ("a year ago lumbar fusion", ["lumbar-fusion 365..731"]),
    ("s/p microdiscectomy 2019", ["lumbar-decompression 2019"]),
    ("Hx of lumbar fusion L4-L5", ["was:lumbar-fusion"]),
    # denial
    ("no saddle numbness", ["-saddle-anaesthesia"]),
    ("no saddle numbness or incontinence", ["-saddle-anaesthesia", "-urinary-incontinence", "-faecal-incontinence"]),
    ("denies numbness and weakness", ["-sensory-disturbance", "-weakness-unspecified"]),
    (
        "denies fever, weakness or incontinence",
        ["-fever", "-weakness-unspecified", "-urinary-incontinence", "-faecal-incontinence"],
    ),
    ("no fever, no saddle numbness", ["-fever", "-saddle-anaesthesia"]),
    (
        "No saddle anaesthesia, no incontinence, no weakness",
        ["-saddle-anaesthesia", "-urinary-incontinence", "-faecal-incontinence", "-weakness-unspecified"],
    ),
    ("back pain without radiculopathy", ["back-pain-unspecified", "-lumbar-radiculopathy"]),
    ("LBP no weakness", ["low-back-pain", "-weakness-unspecified"]),
    ("no weakness but saddle numbness", ["-weakness-unspecified", "saddle-anaesthesia"]),
    ("no weakness. Saddle numbness since yesterday", ["-weakness-unspecified", "saddle-anaesthesia 1..1"]),
    ("no weakness, has saddle numbness", ["-weakness-unspecified", "saddle-anaesthesia"]),
    ("Denies fever. Has urinary retention.", ["-fever", "urinary-retention"]),
    ("no improvement, saddle numbness", ["saddle-anaesthesia unchanged"]),
    ("LBP no better, no red flags", ["low-back-pain unchanged"]),
    ("saddle numbness: no", ["-saddle-anaesthesia"]),
    ("saddle numbness - absent", ["-saddle-anaesthesia"]),
    ("Cauda equina syndrome ruled out", ["-cauda-equina-syndrome"]),
    ("no evidence of malignancy", ["-malignant-neoplasm"]),
    ("no red flags for cauda equina", ["-cauda-equina-syndrome"]),
    ("LBP. No red flags, left sciatica", ["low-back-pain", "sciatica left"]),
    ("h/o IVDU and fever", ["was:injecting-drug-use", "fever"]),
    ("hasn't passed urine for 12 hours", ["urinary-retention 0..1"]),
    ("?CES vs disc prolapse", ["?cauda-equina-syndrome", "?lumbar-disc-displacement"]),
    ("saddle anaesthesia negative", ["-saddle-anaesthesia"]),
    ("incontinence (no)", ["-urinary-incontinence", "-faecal-incontinence"]),
    ("fever: negative", ["-fever"]),
    ("LBP since fall 2 weeks ago", ["low-back-pain", "fall 14..20"]),
    ("3 days post discectomy, worsening LBP", ["lumbar-decompression 3..3", "low-back-pain worsening"]),
    ("pain in back and legs", ["back-pain-unspecified", "lower-limb-pain"]),
    ("no sensation when passing urine", ["bladder-sensation-loss"]),
    ("bone mets", ["bone-metastasis"]),
    ("no h/o cancer", ["-malignant-neoplasm"]),
    ("no trauma", ["-low-velocity-trauma", "-major-trauma"]),
    ("no recent trauma", ["-low-velocity-trauma", "-major-trauma"]),
    ("no fracture", ["-vertebral-fracture"]),
    ("no weakness after fall", ["-weakness-unspecified", "fall"]),
    ("pt denies bowel or bladder incontinence", ["-urinary-incontinence", "-faecal-incontinence"]),
    (
        "no bowel/bladder symptoms",
        ["-urinary-retention", "-voiding-difficulty", "-urinary-incontinence", "-faecal-incontinence"],
    ),
    ("no worsening weakness", ["-progressive-weakness"]),
    ("no left leg weakness", ["-lower-limb-weakness left"]),
    ("not pregnant", ["-pregnancy"]),
    ("resolved urinary retention", ["was:urinary-retention"]),
    ("sciatica, resolved", ["was:sciatica"]),
    # plans and care
    ("Ambulatory referral to Spine Surgery", ["spine-surgery-referral"]),
    ("neurosurgery consult", ["neurosurgery-referral"]),
    ("physiotherapy", ["physical-therapy"]),
]

UNREAD = [
    "LBP xyzzy",
    "no fever, saddle numbness",  # is the second denied?
    "no fever and saddle numbness",
    "no fever with saddle numbness",
    "no fever, saddle numbness, weakness",
    "denies trauma, saddle numbness",
    "no weakness or numbness, incontinence",
    "denies no saddle numbness",
    "not without weakness",
    "?no cauda equina",
    "no ?CES",
    "saddle numbness and weakness absent",  # one of them, or both?
    "no new weakness",  # old weakness?
    "no severe pain",
    "no sudden leg weakness since Tuesday",
    "no previous weakness",  # says nothing of today
    "CES not ruled out",
    "cannot exclude cauda equina",
    "cauda equina unlikely",
    "trauma",  # minor or major?
    "bowel problem",
    "fracture",
    "numbness",  # where?
    "was incontinent",  # when?
    "mother had breast cancer, osteoporosis",  # whose?
    "father: prostate cancer, LBP",
    "Left hip fracture",
    "sciatica and leg",
    "?cord compression",
    "met with patient",
    "L4/5 slip",
    "risk of falls",
    "stress incontinence",
    "no red flags left leg pain",
    "family history of cancer and back pain",
    "no longer incontinent",
    "neck pain",
    "EHL left",  # a muscle without a grade
    "EHL 3/5 4/5",
    "LBP since 5/12",  # a date or five months?
    "left weakness right",
    "saddle numbness present, absent",
    "muscular dystrophy",
    "pre-op planning",
    "weakness due to myositis",
    "",
    "...",
    "left",
    "since yesterday",
    "no",
    "no no",
    "4/5",
    "🤕 LBP",
    "LBP\u202esserp\u202c",
]


@pytest.mark.parametrize(("text", "expected"), READ, ids=[text for text, _ in READ])
def test_what_a_text_says(text, expected):
    reading = read_text(text)
    assert reading is not None, "unread"
    assert [said(mention) for mention in reading.mentions] == expected


@pytest.mark.parametrize("text", UNREAD, ids=[repr(text) for text in UNREAD])
def test_a_text_that_is_not_understood_for_certain_is_unread(text):
    assert read_text(text) is None


@pytest.mark.parametrize(
    "text",
    ["LBP, no red flags", "MRI lumbar spine please", "low back pain without red flags"],
)
def test_words_that_say_nothing_to_a_rule_are_understood(text):
    reading = read_text(text)
    assert reading is not None
    assert all(mention.concept == "low-back-pain" for mention in reading.mentions)
