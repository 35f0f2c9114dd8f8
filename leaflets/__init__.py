"""The pages that cards link to: the patient's, in plain words, and the clinician's, with the guidelines behind it."""
