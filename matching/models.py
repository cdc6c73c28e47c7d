"""The vocabulary by version, match runs and what they found."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.choices import Role
from institutions.models import Institution
from matching.types import Verdict
from projects.models import Project


class VerdictChoice(models.TextChoices):
    """A verdict with its label."""

    EXCLUDED = Verdict.EXCLUDED.value, "排除"
    RESTRICTED = Verdict.RESTRICTED.value, "受限"
    SUPPORTED = Verdict.SUPPORTED.value, "支持"
    NEUTRAL = Verdict.NEUTRAL.value, "中性"


class VocabularyVersion(models.Model):
    """The words and shared conditions that projects are read by; changed by a further version.

    `data`: {"words": [parts as in fixtures/vocabulary], "shared": {name: condition}}.
    """

    version = models.PositiveIntegerField("版本", unique=True)
    data = models.JSONField("内容")
    reason = models.TextField("说明")
    created_at = models.DateTimeField("生效时间", auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        verbose_name = "词表版本"

    def __str__(self) -> str:
        return f"词表第 {self.version} 版"


class MatchRun(models.Model):
    """One matching of projects against the lists in force, with what it was decided by."""

    vocabulary = models.ForeignKey(VocabularyVersion, on_delete=models.PROTECT, related_name="runs")
    # {institution code: edition id}: the editions the verdicts are from.
    editions = models.JSONField("清单版本")
    reason = models.CharField("起因", max_length=200)
    project_count = models.PositiveIntegerField("项目数", default=0)
    changed_count = models.PositiveIntegerField("结论变化数", default=0)
    started_at = models.DateTimeField("开始时间", auto_now_add=True)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        verbose_name = "匹配"

    def __str__(self) -> str:
        return f"匹配 {self.started_at:%Y-%m-%d %H:%M}"


class PairQuerySet(models.QuerySet[Any]):
    """What is known of a project and an institution, by scope."""

    def visible_to(self, user: Any) -> "PairQuerySet":
        """Whoever sees the project sees what suits it; a bank only what its own lists say."""
        found = self.filter(project__in=Project.objects.visible_to(user).values("pk"))
        if user.is_authenticated and user.role == Role.BANK:
            return found.filter(institution__in=Institution.objects.of_user(user).values("pk"))
        return found


class ProjectMatch(models.Model):
    """What an institution's lists say of a project, as the latest run found it."""

    run = models.ForeignKey(MatchRun, on_delete=models.PROTECT, related_name="matches")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="matches")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="matches")
    verdict = models.CharField("结论", max_length=10, choices=VerdictChoice.choices)
    score = models.PositiveSmallIntegerField("得分")
    score_parts = models.JSONField("得分构成", default=dict)
    reasons = models.JSONField("依据", default=list)
    to_check = models.JSONField("待核实", default=list)
    # Of the questions in `to_check`, those without an answer: kept so that rows can be found by it.
    open_count = models.PositiveSmallIntegerField("待核实未答", default=0)

    objects = PairQuerySet.as_manager()

    class Meta:
        verbose_name = "匹配结果"
        indexes = [
            models.Index(fields=["institution", "verdict"], name="match_by_verdict"),
            models.Index(
                fields=["institution", "project"],
                condition=Q(open_count__gt=0),
                name="match_with_open_questions",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["project", "institution"], name="match_once_per_pair"),
            models.CheckConstraint(condition=Q(score__lte=100), name="match_score_at_most_100"),
            models.CheckConstraint(
                condition=~Q(verdict=Verdict.EXCLUDED.value) | Q(score=0),
                name="match_excluded_scores_nothing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.project} {self.institution} {self.get_verdict_display()}"


class MatchChange(models.Model):
    """A verdict that a run found different from the run before; only ever added."""

    run = models.ForeignKey(MatchRun, on_delete=models.PROTECT, related_name="changes")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    before = models.CharField("之前", max_length=10, choices=VerdictChoice.choices)
    after = models.CharField("之后", max_length=10, choices=VerdictChoice.choices)

    objects = PairQuerySet.as_manager()

    class Meta:
        verbose_name = "结论变化"
        constraints = [
            models.UniqueConstraint(
                fields=["run", "project", "institution"], name="change_once_per_run"
            )
        ]

    def __str__(self) -> str:
        return f"{self.project} {self.institution} {self.before} → {self.after}"


class Answer(models.TextChoices):
    """What a person found out about a question of a clause."""

    YES = "yes", "是"
    NO = "no", "否"
    UNCLEAR = "unclear", "还不清楚"


class ClauseAnswer(models.Model):
    """A question of a clause that a person answered; only ever added, the latest counts.

    The verdict stays what the engine found; the answer is shown beside it.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="clause_answers")
    institution = models.ForeignKey(
        Institution, on_delete=models.PROTECT, related_name="+", verbose_name="机构"
    )
    clause = models.CharField("条款", max_length=12, blank=True)
    question = models.TextField("待核实")
    answer = models.CharField("回答", max_length=8, choices=Answer.choices)
    note = models.CharField("依据说明", max_length=500, blank=True)
    answered_at = models.DateTimeField("核实时间", auto_now_add=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )

    objects = PairQuerySet.as_manager()

    class Meta:
        verbose_name = "核实回答"
        indexes = [models.Index(fields=["project", "institution"], name="answer_by_pair")]

    def __str__(self) -> str:
        return f"{self.project} {self.institution} {self.clause} {self.get_answer_display()}"
