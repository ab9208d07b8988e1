"""A look at the landing folder, the run that it asks for, and what is told of a failure."""

import http.server
import json
import os
import stat
import threading
from pathlib import Path

import pytest
from dagster import (
    DagsterEventType,
    DagsterInstance,
    DagsterRunStatus,
    DefaultSensorStatus,
    RunRequest,
    SkipReason,
    build_run_status_sensor_context,
    build_sensor_context,
    job,
    op,
)

from orchestration import contracts, failures, landing
from orchestration.failures import Failure, call_webhook, tell
from orchestration.home import Home, home
from orchestration.sensors import failed_run, new_delivery
from tests.orchestration.daemons import SECRET, webhook
from tests.shops import deliver, order


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("SEGMENTS_HOME", str(tmp_path))
    return home(tmp_path).prepare()


def send(place: Home, name: str = "a", customer: str = "c1") -> Path:
    return deliver(place.landing, "orders", [order("o1", customer, "2026-01-05")], name)


def look(place: Home) -> landing.Look:
    return landing.look(place, contracts.load())


def publish(place: Home, *files: Path) -> None:
    """Pretend that a version with these deliveries is published."""
    number = len(list((place.published).glob("versions/*"))) + 1
    folder = place.published / "versions" / str(number)
    folder.mkdir(parents=True)
    entries = [
        {
            "source": file.parts[-3],
            "feed": file.parts[-2],
            "file_name": file.name,
            "sha256": landing.sha256_of(file),
            "status": "landed",
        }
        for file in files
    ]
    (folder / "manifest.json").write_text(json.dumps({"version": number, "deliveries": entries}))
    link = place.published / "current"
    link.unlink(missing_ok=True)
    link.symlink_to(folder.relative_to(place.published))


def test_a_file_is_new_when_two_looks_found_it_the_same(place: Home):
    send(place)
    first, second = look(place), look(place)
    assert (first.new, first.changing) == ([], ["shop/orders/orders_a.csv"])
    assert (second.new, second.changing) == (["shop/orders/orders_a.csv"], [])


def test_a_file_that_grows_is_not_new(place: Home):
    file = send(place)
    for _ in range(3):
        assert look(place).new == []
        with file.open("a") as stream:
            stream.write("o2,c2,2026-01-05 12:00:00,completed\n")
    look(place)
    assert look(place).new != []


def test_a_file_replaced_by_one_of_the_same_size_and_time_is_looked_at_again(place: Home):
    file = send(place, customer="c1")
    look(place)
    kept = file.stat()
    other = file.with_suffix(".tmp")
    other.write_text(file.read_text().replace("c1", "c2"))
    os.utime(other, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    other.replace(file)
    assert look(place).new == []


@pytest.mark.parametrize("name", ["orders_a.csv.part", "orders_a.csv.tmp", ".orders_a.csv"])
def test_an_unfinished_name_is_not_looked_at(place: Home, name: str):
    file = send(place)
    file.rename(file.with_name(name))
    for _ in range(3):
        assert look(place) == landing.Look([], "", [])


def test_what_is_published_is_settled_also_after_a_rollback(place: Home):
    publish(place)
    file = send(place)
    look(place)
    assert look(place).new
    publish(place, file)
    assert look(place).new == []
    (place.published / "current").unlink()
    (place.published / "current").symlink_to("versions/1")
    assert look(place).new == []


def test_the_key_is_of_contents_and_outlives_the_memory(place: Home):
    send(place)
    look(place)
    key = look(place).key
    landing.memory_file(place).unlink()
    look(place)
    assert look(place).key == key
    send(place, customer="c9")
    look(place)
    assert look(place).key != key


@pytest.mark.parametrize("text", ["", "{", "[]", '{"seen": 1, "sums": {}, "settled": {}}'])
def test_a_memory_that_cannot_be_read_is_none(place: Home, text: str):
    landing.memory_file(place).write_text(text)
    send(place)
    assert look(place).new == []
    assert look(place).new != []


def test_what_was_seen_is_private(place: Home):
    send(place)
    look(place)
    assert stat.S_IMODE(landing.memory_file(place).stat().st_mode) == 0o600


def ask(instance: DagsterInstance, cursor: str | None = None) -> tuple[object, str | None]:
    sensor = new_delivery(contracts.load(), DefaultSensorStatus.STOPPED)
    context = build_sensor_context(instance=instance, cursor=cursor)
    return sensor(context), context.cursor


def test_a_new_file_asks_for_one_run(place: Home):
    send(place)
    with DagsterInstance.ephemeral() as instance:
        waiting, cursor = ask(instance)
        assert isinstance(waiting, SkipReason)
        assert "still changing" in str(waiting.skip_message)
        asked, cursor = ask(instance, cursor)
        assert isinstance(asked, RunRequest)
        assert asked.run_key == look(place).key
        # It is asked for once, whatever becomes of the run: else a failing one would come for ever.
        again, cursor = ask(instance, cursor)
        assert isinstance(again, SkipReason)
        send(place, "b", "c2")
        ask(instance, cursor)
        other, _ = ask(instance, cursor)
        assert isinstance(other, RunRequest) and other.run_key != asked.run_key


@pytest.mark.parametrize("name", ["refresh", "month_end"])
@pytest.mark.parametrize("status", [DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTED])
def test_no_run_is_asked_for_while_one_waits_or_works(
    place: Home, name: str, status: DagsterRunStatus
):
    send(place)
    look(place)

    @op
    def nothing() -> None:
        pass

    @job(name=name)
    def publishing() -> None:
        nothing()

    with DagsterInstance.ephemeral() as instance:
        instance.create_run_for_job(publishing, status=status)
        skipped, cursor = ask(instance)
        assert isinstance(skipped, SkipReason)
        assert cursor is None


FAILURE = Failure(
    "2026-11-26T04:00:00+00:00", "refresh", "r1", "build", "Failed", ("a",), "staging"
)


def test_a_failure_is_a_line_and_a_call(place: Home, monkeypatch: pytest.MonkeyPatch):
    with webhook() as (address, called):
        monkeypatch.setenv(failures.WEBHOOK_VARIABLE, address)
        assert tell(place, FAILURE) == "answered 204"
    text = (place.logs / "failures.log").read_text()
    line = json.loads(text)
    assert (line["job"], line["step"], line["tests"]) == ("refresh", "build", ["a"])
    assert called[0]["text"] == "refresh failed in build (Failed): a. Run r1"
    assert SECRET not in text
    assert stat.S_IMODE((place.logs / "failures.log").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:9/" + SECRET,
        "ftp://host/" + SECRET,
        "file:///" + SECRET,
        "http://[" + SECRET,
    ],
)
def test_a_call_that_fails_is_told_without_its_address(
    place: Home, monkeypatch: pytest.MonkeyPatch, address: str
):
    monkeypatch.setenv(failures.WEBHOOK_VARIABLE, address)
    assert SECRET not in tell(place, FAILURE)
    assert SECRET not in (place.logs / "failures.log").read_text()


def test_without_a_webhook_a_failure_is_a_line():
    assert call_webhook(None, FAILURE) == "none configured"
    assert call_webhook("", FAILURE) == "none configured"


def test_the_sensor_tells_the_step_and_the_kind_of_error_and_no_message(place: Home):
    @op
    def build() -> None:
        raise ValueError("Ann Smith, ann@example.org")

    @job
    def refresh() -> None:
        build()

    with DagsterInstance.ephemeral() as instance:
        done = refresh.execute_in_process(instance=instance, raise_on_error=False)
        (event,) = (
            event for event in done.all_events if event.event_type == DagsterEventType.RUN_FAILURE
        )
        context = build_run_status_sensor_context(
            sensor_name="failed_run",
            dagster_event=event,
            dagster_instance=instance,
            dagster_run=done.dagster_run,
        ).for_run_failure()
        failed_run("staging", DefaultSensorStatus.STOPPED)(context)
    text = (place.logs / "failures.log").read_text()
    line = json.loads(text)
    assert (line["job"], line["step"], line["error"]) == ("refresh", "build", "ValueError")
    assert line["environment"] == "staging"
    assert "Ann" not in text


def test_a_webhook_that_redirects_is_no_success():
    class Elsewhere(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(302)
            self.send_header("Location", "/login")
            self.end_headers()

        def do_GET(self):
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        told = call_webhook(f"http://127.0.0.1:{server.server_port}/hook", FAILURE)
        server.shutdown()
    assert told == "failed: HTTPError"
