"""The admin works with the settings and the URLs that Django's page shows."""

from __future__ import annotations

from tests.docs.django_page import visited

VISIT = """
boss, alice = Client(), Client()
boss.force_login(User.objects.create_superuser("boss"))
alice.force_login(User.objects.create_user("alice"))
url = "/admin/sessionkit_store/session/"
page = boss.get(url, {"q": "alice"}).content.decode()
name = page.partition('name="_selected_action" value="')[2].partition('"')[0]
boss.post(url, {"action": "end_selected", "_selected_action": name})
print(len(name), page.count("alice</bdi>"), "_auth_user_id" in alice.session)
"""


def test_the_settings_and_the_urls_show_the_sessions_and_end_one() -> None:
    answer = visited("Admin", VISIT)
    assert answer.stdout.splitlines()[-1:] == ["16 1 False"], answer.stderr
