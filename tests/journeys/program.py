"""A program at the site, with nothing but HTTP: its person signs in once for a token, by which everything else goes.

For what a person does at the screen there is `tests.journeys.viewer`.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import requests
from dicomweb_client.api import DICOMwebClient

from tests.journeys.site import Person, Site

SECRET = re.compile(r">(gg_[A-Za-z0-9_-]{43})<")


@dataclass
class Program:
    """One person's program: a session for pages, a token for everything else."""

    site: Site
    person: Person
    pages: requests.Session = field(default_factory=requests.Session)
    token: str = ""

    def __post_init__(self) -> None:
        self._post("/sign-in/", username=self.person.username, password=self.person.password)
        made = self._post("/profile/", name="program", days="7")
        self.token = SECRET.findall(made.text)[0]

    @property
    def headers(self) -> dict[str, str]:
        """What lets a request in."""
        return {"Authorization": f"Bearer {self.token}"}

    def get(self, path: str, **more: Any) -> requests.Response:
        """A GET by the token."""
        headers = {**self.headers, **more.pop("headers", {})}
        return requests.get(f"{self.site.address}{path}", headers=headers, timeout=180, **more)

    def dicomweb(self, slug: str) -> DICOMwebClient:
        """dicomweb-client at a campaign's root."""
        return DICOMwebClient(url=f"{self.site.address}/dicomweb/{slug}", headers=self.headers)

    def start_and_sign(self, slug: str, number: int) -> str:
        """Begin a reading of a case and sign it as it stands; the reading's id."""
        begun = self._post(f"/campaigns/{slug}/cases/{number}/readings/")
        reading_id = begun.url.rstrip("/").rsplit("/", 1)[-1]
        url = f"{self.site.address}/api/readings/{reading_id}/"
        detail = requests.get(url, headers=self.headers, timeout=180).json()
        wish = {
            "password": self.person.password,
            "stroke_sequence": detail["mask"]["stroke_sequence"],
            "statement": detail["statement"],
        }
        signed = requests.post(f"{url}sign/", json=wish, headers=self.headers, timeout=180)
        assert signed.status_code == 200, signed.text
        return reading_id

    def _post(self, path: str, **form: str) -> requests.Response:
        """A form of a page, with its CSRF token."""
        if "csrftoken" not in self.pages.cookies:
            self.pages.get(f"{self.site.address}/sign-in/", timeout=180)
        form["csrfmiddlewaretoken"] = self.pages.cookies["csrftoken"]
        answer = self.pages.post(f"{self.site.address}{path}", data=form, timeout=180)
        assert answer.ok, f"{path}: {answer.status_code}"
        return answer
