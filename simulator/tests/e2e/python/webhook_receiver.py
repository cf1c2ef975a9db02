"""A tenant's own system: checks messages with a library of the standard that we did not write.

Prints its port, reads the signing secret from standard input, and prints one line of JSON for each message that arrives.
The first message is answered with an error, so that it has to come again.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from standardwebhooks.webhooks import Webhook, WebhookVerificationError


class Receiver(BaseHTTPRequestHandler):
    arrived = 0
    secret = ""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        webhook = Webhook(Receiver.secret)
        message = webhook.verify(body, headers)
        try:
            webhook.verify(body.replace("data", "date"), headers)
            is_forgery_seen = False
        except WebhookVerificationError:
            is_forgery_seen = True
        Receiver.arrived += 1
        self.send_response(500 if Receiver.arrived == 1 else 204)
        self.end_headers()
        report = {"id": headers["webhook-id"], "message": message, "is_forgery_seen": is_forgery_seen}
        print(json.dumps(report), flush=True)

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Receiver)
print(server.server_port, flush=True)
Receiver.secret = sys.stdin.readline().strip()
server.serve_forever()
