"""The optical port, IEC 62056-21 mode C: `frames` (characters), `sign_on`, `session`, `profile`, and the `meter` of it."""
