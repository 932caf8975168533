"""What the buttons do to a session: the same in all three frameworks."""

from __future__ import annotations

import re

from sessionkit import Session


def perform(session: Session, action: str, form: dict[str, str], framework: str) -> bool:
    """Carry out the *action* of a form; False if there is no such action."""
    if action == "login" and form.get("name"):
        session.bind(form["name"].strip()[:40] or "nobody", framework=framework)
        session.flash["message"] = f"Welcome, {session.owner}!"
    elif action == "logout":
        session.destroy()
        session.flash["message"] = "You are logged out, here and in the other two."
    elif action == "logout-elsewhere" and session.owner is not None:
        ended = session.manager.revoke_all(session.owner, except_=session)
        session.flash["message"] = f"Ended {ended} other session{'s' if ended != 1 else ''}."
    elif action == "cart" and form.get("item"):
        session.setdefault("cart", []).append(form["item"][:40])
    elif action == "flash" and form.get("message"):
        session.flash["message"] = form["message"][:80]
    elif re.fullmatch(r"parallel/([0-9]|1[0-9])", action, re.ASCII):
        session[action.replace("/", "-")] = True
    elif action == "parallel/reset":
        for key in [key for key in session if key.startswith("parallel-")]:
            del session[key]
    else:
        return False

    return True
