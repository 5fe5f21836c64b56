"""Tokens that the stack's own secret signs (HS256)."""

import base64
import hashlib
import hmac
import json
import time

SECRET = "a secret for the tests that is long enough"
JWT = {"AUTH_MODE": "jwt", "JWT_SECRET_KEY": SECRET}


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def bearer(user, role="staff", **claims):
    """The header of somebody with such a token, good for a day: a soak takes an hour."""
    claims = {"sub": user, "role": role, "exp": int(time.time()) + 86400, **claims}
    text = ".".join(b64(json.dumps(part).encode()) for part in ({"alg": "HS256"}, claims))
    sign = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).digest()
    return {"Authorization": f"Bearer {text}.{b64(sign)}"}
