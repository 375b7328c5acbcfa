"""The version of this distribution, read by setup.cfg and by every manifest."""

VERSION = "0.1.0"
