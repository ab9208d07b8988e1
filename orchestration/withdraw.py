"""Undoes a delivery that should never have come: its rows go, its row in the ledger stays."""

from datetime import UTC, datetime

import duckdb

from orchestration import audit, ledger
from orchestration.audit import Delivery
from orchestration.contracts import load
from orchestration.home import Home, writer_lock
from orchestration.typing_rules import quoted


class NotWithdrawable(Exception):
    """This delivery cannot be withdrawn; the message says why."""


def withdraw(place: Home, delivery_id: int) -> Delivery:
    """Take a delivery's rows out of raw and mark it in the ledger; the next run builds anew.

    Its file stays where it is and is not taken again under its name. What is published keeps its
    rows until the next run.

    Raises:
        NotWithdrawable: there is no such delivery, or nothing of it was landed.
        WriterBusy: another process writes the warehouse.
    """
    with writer_lock(place, "withdraw"):
        if not place.build_file.exists():
            raise NotWithdrawable(f"nothing was delivered to {place.root} yet")
        with duckdb.connect(str(place.build_file)) as build:
            found = {one.delivery_id: one for one in audit.read_deliveries(build)}
            delivery = found.get(delivery_id)
            if delivery is None:
                raise NotWithdrawable(
                    f"there is no delivery {delivery_id}: ./segments status and the published "
                    f"table deliveries list them"
                )
            if delivery.status != ledger.LANDED:
                raise NotWithdrawable(
                    f"delivery {delivery_id} ({delivery.file_name}) is {delivery.status}: nothing "
                    f"of it counts"
                )
            table = load()[delivery.source].feed(delivery.feed).identifier
            build.begin()
            build.execute(f"delete from raw.{quoted(table)} where _delivery_id = ?", [delivery_id])
            build.execute("delete from raw.quarantine where delivery_id = ?", [delivery_id])
            build.execute(
                "update raw.deliveries set status = ?, note = concat_ws('; ', note, ?) "
                "where delivery_id = ?",
                [ledger.WITHDRAWN, f"withdrawn {datetime.now(UTC):%Y-%m-%d %H:%M}", delivery_id],
            )
            # What was built holds its rows, so it must not be published any more.
            if audit.has_table(build, "control", "build_audit"):
                build.execute("delete from control.build_audit")
            build.commit()
    return delivery
