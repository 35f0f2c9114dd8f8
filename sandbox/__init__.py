"""A pretend EHR that talks to the service over HTTP; nothing imports it."""
