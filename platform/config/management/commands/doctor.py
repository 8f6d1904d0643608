"""`manage.py doctor`: checks every component, says what is wrong and how to mend it."""

from typing import Any

from django.core.management.base import BaseCommand

from config.doctor import Level, examine, verdict


class Command(BaseCommand):
    """Exit code 1 where something must be mended."""

    help = "Check every component and say how to mend what is wrong."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Print each finding as it comes, then the verdict."""
        style = {Level.OK: self.style.SUCCESS, Level.WARN: self.style.WARNING, Level.FAIL: self.style.ERROR}
        findings = []
        for finding in examine():
            findings.append(finding)
            self.stdout.write(
                f"{style[finding.level](f'{finding.level:<4}')}  {finding.component}: {finding.says}"
            )
            if finding.mend:
                self.stdout.write(f"      → {finding.mend}")
        self.stdout.write(verdict(findings))
        if any(finding.level == Level.FAIL for finding in findings):
            raise SystemExit(1)
