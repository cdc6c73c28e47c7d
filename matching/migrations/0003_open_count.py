from typing import Any

from django.db import migrations, models

BATCH = 1000


def count_open_questions(apps: Any, schema_editor: Any) -> None:
    """Count what is stored already, as `matching.questions.count_open` does from now on."""
    matches = apps.get_model("matching", "ProjectMatch").objects
    settled = _settled(apps.get_model("matching", "ClauseAnswer"))
    batch = []
    for match in matches.only("project", "institution", "reasons", "to_check").iterator(BATCH):
        match.open_count = _open(match, settled)
        batch.append(match)
        if len(batch) == BATCH:
            matches.bulk_update(batch, ["open_count"])
            batch = []
    matches.bulk_update(batch, ["open_count"])


def _settled(answers: Any) -> set[tuple[int, int, str, str]]:
    rows = answers.objects.order_by("pk").values_list(
        "project", "institution", "clause", "question", "answer"
    )
    latest = {tuple(row[:4]): row[4] for row in rows}
    return {asked for asked, answer in latest.items() if answer != "unclear"}


def _open(match: Any, settled: set[tuple[int, int, str, str]]) -> int:
    if any(reason["list"] == "area" for reason in match.reasons):
        return 0
    pair = (match.project_id, match.institution_id)
    return sum((*pair, each["clause"], each["question"]) not in settled for each in match.to_check)


class Migration(migrations.Migration):
    dependencies = [
        ("institutions", "0002_lists"),
        ("matching", "0002_clause_answers"),
        ("projects", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="projectmatch",
            name="open_count",
            field=models.PositiveSmallIntegerField(default=0, verbose_name="待核实未答"),
        ),
        migrations.RunPython(count_open_questions, migrations.RunPython.noop, elidable=True),
        migrations.AddIndex(
            model_name="projectmatch",
            index=models.Index(
                condition=models.Q(("open_count__gt", 0)),
                fields=["institution", "project"],
                name="match_with_open_questions",
            ),
        ),
    ]
