"""The devices page works with the settings and the URLs that Django's page shows."""

from __future__ import annotations

from tests.docs.django_page import visited

VISIT = """
here, there = Client(), Client()
print(here.get(reverse("sessionkit:devices")).headers["Location"])
user = User.objects.create_user("alice")
here.force_login(user)
there.force_login(user)
page = here.get("/account/devices/").content.decode()
print(page.count("<li>"), page.count("This device"))
"""


def test_the_settings_and_the_urls_show_the_page() -> None:
    answer = visited("Devices", VISIT)
    expected = ["/accounts/login/?next=/account/devices/", "2 1"]
    assert answer.stdout.splitlines()[-2:] == expected, answer.stderr
