"""Why a link is not taken: stable codes with their sentences and the way out."""

from django.utils.translation import gettext_noop

LINK_REASONS: dict[str, str] = {
    "link-bad": gettext_noop(
        "Row %(row)s is no link that can be fetched; it must begin with http:// or https://. Correct the row."
    ),
    "link-again": gettext_noop(
        "Row %(row)s repeats the link of row %(first)s; that one counts. Delete the row."
    ),
    "link-port": gettext_noop(
        "The link names port %(port)s; links are fetched on %(ports)s alone. Upload the picture itself."
    ),
    "link-private": gettext_noop(
        "The link leads to %(host)s, which is not on the public internet; such addresses are not fetched."
        " Upload the picture itself."
    ),
    "link-unknown-host": gettext_noop("There is no server called %(host)s. Check how the link is spelt."),
    "link-no-answer": gettext_noop(
        "%(host)s cannot be reached. Try the link in a browser, and import the list again later."
    ),
    "link-not-secure": gettext_noop(
        "%(host)s does not prove who it is (its certificate is not valid). Upload the picture itself."
    ),
    "link-too-slow": gettext_noop(
        "%(host)s did not send the picture within %(seconds)s seconds. Import the list again later."
    ),
    "link-cut-short": gettext_noop("%(host)s broke off in the middle. Import the list again later."),
    "link-gone": gettext_noop(
        "%(host)s has nothing there (%(status)s). Correct the link, or delete the row."
    ),
    "link-forbidden": gettext_noop(
        "%(host)s shows it only to some (%(status)s). Download the picture and upload it."
    ),
    "link-busy": gettext_noop(
        "%(host)s was asked too often (%(status)s). Import the list again later; what is here is not taken twice."
    ),
    "link-failed": gettext_noop("%(host)s answered with an error (%(status)s). Import the list again later."),
    "link-hops": gettext_noop("The link leads on more than %(most)s times. Use the picture's own address."),
    "link-is-a-page": gettext_noop(
        "The link leads to a web page, not to a picture. Use the address of the picture itself"
        " (in browsers: right-click, copy image address)."
    ),
    "links-off": gettext_noop(
        "Fetching links was switched off on this installation. Upload the pictures themselves."
    ),
}
