#!/opt/phasegate/bin/python -IS
"""Ends with 0 if an address answers 200. For health checks: the image has neither curl nor wget.

phasegate-probe [http://127.0.0.1:9465/healthz]
"""

import http.client
import sys
from urllib.parse import urlsplit

url = urlsplit(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:9465/healthz")
try:
    # No environment is looked at, and so no proxy either.
    asked = http.client.HTTPConnection(url.netloc, timeout=5)
    asked.request("GET", url.path or "/")
    answer = asked.getresponse()
except OSError as error:
    sys.exit(f"{url.geturl()}: {error}")
print(answer.status, answer.read(500).decode(errors="replace"))
sys.exit(answer.status != http.HTTPStatus.OK)
