"""Values with their Chinese labels and the tone they are shown in."""

from django.db import models


class SectorLevel(models.TextChoices):
    """The four levels of GB/T 4754-2017."""

    SECTION = "section", "门类"
    DIVISION = "division", "大类"
    GROUP = "group", "中类"
    CLASS = "class", "小类"


class JobState(models.TextChoices):
    """Where a job stands."""

    QUEUED = "queued", "排队中"
    RUNNING = "running", "进行中"
    SUCCEEDED = "succeeded", "已完成"
    FAILED = "failed", "失败"
    CANCELLED = "cancelled", "已取消"

    @property
    def tone(self) -> str:
        """The badge tone of the state."""
        return JOB_TONES[self]


ACTIVE_JOB_STATES = (JobState.QUEUED, JobState.RUNNING)
JOB_TONES = {
    JobState.QUEUED: "grey",
    JobState.RUNNING: "teal",
    JobState.SUCCEEDED: "green",
    JobState.FAILED: "red",
    JobState.CANCELLED: "grey",
}
