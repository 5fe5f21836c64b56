"""What was answered, held against the statuses that /openapi.json lists."""

import re


def responses_of(document, method, path):
    """Those of the operation at the path; None: it is no operation."""
    path = re.sub("^/api/v1/", "/api/", path)
    for template in sorted(document["paths"], key=lambda one: one.count("{")):
        pattern = "[^/]+".join(map(re.escape, re.split(r"\{[^}]*\}", template)))
        if re.fullmatch(pattern, path):
            operation = document["paths"][template].get(method.lower())
            if operation:
                return operation["responses"]
    return None


def unlisted(document, answered):
    """Of (method, path, status) those that are no error and not in the document."""
    return sorted(one for one in answered if one[2] < 400 and str(one[2]) not in
                  (responses_of(document, *one[:2]) or [str(one[2])]))
