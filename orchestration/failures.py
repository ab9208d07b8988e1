"""What is told of a run that failed: a line in logs/failures.log, and a call where one is wanted.

Names only - of the job, the step, the kind of error, the tests: a message may quote a customer.
"""

import json
import os
import urllib.request
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

from orchestration.home import Home

WEBHOOK_VARIABLE = "SEGMENTS_WEBHOOK_URL"
WEBHOOK_SECONDS = 5.0


@dataclass(frozen=True)
class Failure:
    """A run that failed: `step` and `error` are None where its process died, `tests` failed."""

    at: str
    job: str
    run_id: str
    step: str | None
    error: str | None
    tests: tuple[str, ...]
    environment: str | None

    @property
    def text(self) -> str:
        """The failure in a sentence, which chat systems show."""
        what = f"in {self.step} ({self.error})" if self.step else "because its process died"
        tests = f": {', '.join(self.tests)}" if self.tests else ""
        return f"{self.job} failed {what}{tests}. Run {self.run_id}"


def tell(place: Home, failure: Failure) -> str:
    """Write a failure down, call the webhook if there is one; say what became of that."""
    outcome = call_webhook(os.environ.get(WEBHOOK_VARIABLE), failure)
    place.prepare()
    path = place.logs / "failures.log"
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with open(handle, "a", encoding="utf-8") as log:
        log.write(json.dumps({**asdict(failure), "webhook": outcome}, ensure_ascii=False) + "\n")
    return outcome


def call_webhook(url: str | None, failure: Failure) -> str:
    """Post a failure as JSON; return what came of it, without the address, which may hold a key."""
    if not url:
        return "none configured"
    body = json.dumps({"text": failure.text, **asdict(failure)}, ensure_ascii=False).encode()
    try:
        if urlsplit(url).scheme not in ("http", "https"):
            return "not called: the address is neither http nor https"
        request = urllib.request.Request(
            url, data=body, headers={"Content-Type": "application/json"}, method="POST"
        )
        with urllib.request.build_opener(_NoRedirect).open(
            request, timeout=WEBHOOK_SECONDS
        ) as answer:
            return f"answered {answer.status}"
    except Exception as error:
        # Its message may quote the address.
        return f"failed: {type(error).__name__}"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follow no redirect: the POST would become a GET, and its message be lost unseen."""

    def redirect_request(self, *_: object) -> None:
        """Return no request, which makes the answer an error."""
