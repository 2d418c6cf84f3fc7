"""The optical port, IEC 62056-21 mode C: characters (`frames`), `sign_on`, `session`, `profile`, and the `meter`."""
