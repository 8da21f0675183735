"""What a sunset tells its product: where it stands, and in the end how it ended."""

from __future__ import annotations

from pydantic import Field

from phasegate.base import Instant, Wire
from phasegate.legal_hold import LegalHold
from phasegate.views import ConditionView


class SunsetReport(Wire):
    """How the sunset stands, for its product.

    `ended` is empty, retired, aborted or cancelled. `state` is the sunset's own word: sunsetting,
    waiting-for-plan or aborting. `beyond_return` says that the point of no return is passed.
    """

    token: str
    serial: int = Field(0, description="which of its reports; they may arrive in another order")
    made_at: Instant | None = Field(
        None, description="a reset takes its count of reports back, and not the time"
    )
    text: str
    gate: str | None = None
    next_due: Instant | None = None
    conditions: list[ConditionView] = []
    had_a_hand: dict[str, str] = {}
    ended: str = ""
    state: str = "sunsetting"
    beyond_return: bool = False
    legal_holds: list[LegalHold] = []
    waiting_for: str = Field(
        "",
        description="who has to do something now, and the command: `ana to confirm …: phasegate …`",
    )
    rounds: dict[str, int] = Field({}, description="of its gates: a second sunset goes on counting")
    by: str = Field("", description="who aborted it")
    why: str = Field("", description="and the reason given")

    def overtaken_by(self, other: SunsetReport) -> bool:
        """Whether the other was made later. Nothing is made later than an end."""
        if self.ended:
            return False
        if self.made_at and other.made_at and self.made_at != other.made_at:
            return self.made_at < other.made_at
        return self.serial < other.serial
