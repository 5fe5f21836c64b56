"""Uploads as a browser sends them."""


def form(name, data, content_type="", **fields):
    """Body and headers of a multipart/form-data request with one file."""
    mark = "cairn-boundary-7f3a"
    lines = [f'--{mark}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
             for key, value in fields.items()]
    kind = f"Content-Type: {content_type}\r\n" if content_type else ""
    head = (f'--{mark}\r\nContent-Disposition: form-data; name="file"; '
            f'filename="{name}"\r\n{kind}\r\n')
    body = "".join(lines).encode() + head.encode() + data + f"\r\n--{mark}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={mark}"}


def upload(stack, name, data, path="/api/documents", **fields):
    body, headers = form(name, data, **fields)
    return stack.request("POST", path, body, headers=headers)
