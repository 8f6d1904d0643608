"""How to call a service, in lines that work when they are pasted."""

from dataclasses import dataclass

PLACEHOLDER = "TOKEN"

CURL = 'curl -H "Authorization: Bearer {token}" -F images=@photo.jpg {url}'

PYTHON = """\
import requests

with open("photo.jpg", "rb") as picture:
    response = requests.post(
        "{url}",
        headers={{"Authorization": "Bearer {token}"}},
        files={{"images": picture}},
        timeout=30,
    )
response.raise_for_status()
print(response.json()["predicted_label"])
"""

JAVASCRIPT = """\
import {{ openAsBlob }} from "node:fs";

const form = new FormData();
form.append("images", await openAsBlob("photo.jpg"), "photo.jpg");
const response = await fetch("{url}", {{
  method: "POST",
  headers: {{ Authorization: "Bearer {token}" }},
  body: form,
}});
if (!response.ok) throw new Error(await response.text());
console.log((await response.json()).predicted_label);
"""


@dataclass(frozen=True)
class Recipe:
    """One way of calling."""

    key: str
    name: str
    code: str


def recipes(url: str, token: str = "") -> list[Recipe]:
    """curl, Python and JavaScript for this address, with the token where there is one to show."""
    values = {"url": url, "token": token or PLACEHOLDER}
    return [
        Recipe("curl", "curl", CURL.format(**values)),
        Recipe("python", "Python", PYTHON.format(**values).rstrip()),
        Recipe("javascript", "JavaScript (Node)", JAVASCRIPT.format(**values).rstrip()),
    ]
