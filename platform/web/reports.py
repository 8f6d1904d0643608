"""What Django's error reports must not show: settings with passwords inside, under whatever name."""

import re

from django.views.debug import SafeExceptionReporterFilter


class Hiding(SafeExceptionReporterFilter):
    """Addresses of databases, queues and mail servers carry passwords too."""

    hidden_settings = re.compile(
        r"API|AUTH|TOKEN|KEY|SECRET|PASS|SIGNATURE|HTTP_COOKIE|COOKIE|DATABASE|REDIS|RQ_|EMAIL|STORAGE|DIGEST",
        re.I,
    )
