"""What a customer's program does with Microsoft's client for Python, over TLS.

`world.json` (the first argument) says where everything is. Every step is
tried, and all that went wrong is told.
"""

import json
import sys
import time
import traceback

from azure.core.credentials import AccessToken
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.core.errors import HttpError

with open(sys.argv[1], encoding="utf-8") as file:
    WORLD = json.load(file)
SERVER_SIDE = 2
failures = 0


class Token:
    """A credential that has its token already."""

    def __init__(self, token):
        self.token = token

    def get_token(self, *scopes, **_):
        assert scopes == (f"{WORLD['url']}/.default",), scopes
        return AccessToken(self.token, int(time.time()) + 3600)


client = DataverseClient(WORLD["url"], Token(WORLD["token"]))
records = client.records
have = {}


def step(work):
    global failures
    name = work.__name__.replace("_", " ")
    try:
        work()
        print(f"ok {name}")
    except Exception:  # all of them are told
        failures += 1
        print(f"FAILED {name}\n{traceback.format_exc()}")
    return work


def wait_for(what, ask, seconds=90):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = ask()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"waited {seconds} s in vain for {what}")


def refused(status, work):
    try:
        work()
    except HttpError as error:
        assert error.status_code == status, error
        return error
    raise AssertionError("it was accepted")


def mailbox_of(owner):
    return records.list("mailbox", filter=f"_regardingobjectid_value eq {owner}").first()["mailboxid"]


def enable(mailbox, address, **more):
    """Approves, then tests: there is no action for that, clients change the mailbox."""
    settings = {
        "emailserverprofile@odata.bind": f"/emailserverprofiles({have['profile']})",
        "allowemailconnectortousecredentials": True,
        "username": address,
        "password": WORLD["accounts"][address],
        "incomingemaildeliverymethod": SERVER_SIDE,
        "outgoingemaildeliverymethod": SERVER_SIDE,
    }
    records.update("mailbox", mailbox, {**settings, **more})
    records.update("mailbox", mailbox, {"emailrouteraccessapproval": 1})
    records.update("mailbox", mailbox, {"testemailconfigurationscheduled": True})

    def ended():
        row = records.retrieve("mailbox", mailbox)
        return row if row["testemailconfigurationscheduled"] is False else None

    row = wait_for(f"the test of {address}", ended)
    assert row["incomingemailstatus"] == 1, row["pr_testlog"]


@step
def an_email_server_profile():
    have["profile"] = records.create(
        "emailserverprofile",
        {
            "name": "Python's IMAP",
            # The library finds the number of a label in the metadata.
            "servertype": 4,
            "incomingserverlocation": "localhost",
            "incomingportnumber": WORLD["imap"],
            "outgoingserverlocation": "localhost",
            "outgoingportnumber": WORLD["smtp"],
            "incomingcredentialretrieval": 0,
            "outgoingcredentialretrieval": 0,
        },
    )


@step
def a_user_tested_and_enabled():
    address = "petra@company.test"
    have["user"] = records.create(
        "systemuser",
        {"firstname": "Petra", "lastname": "Python", "internalemailaddress": address, "domainname": address},
    )
    enable(mailbox_of(have["user"]), address)


@step
def a_queue_tested_and_enabled():
    address = "python-queue@company.test"
    have["queue"] = records.create("queue", {"name": "Python's queue", "emailaddress": address})
    enable(mailbox_of(have["queue"]), address)


@step
def a_forward_mailbox():
    address = "python-forward@company.test"
    mailbox = records.create(
        "mailbox", {"name": "Python's forward mailbox", "emailaddress": address, "outgoingemaildeliverymethod": 0}
    )
    enable(mailbox, address, outgoingemaildeliverymethod=0)
    row = records.retrieve("mailbox", mailbox, include_annotations="*")
    assert row["isforwardmailbox"] is True
    assert row["emailrouteraccessapproval@OData.Community.Display.V1.FormattedValue"] == "Approved"


@step
def an_email_waits_in_a_queue():
    # This client knows no actions: the email is put in by a queue item.
    email = records.create(
        "email",
        {
            "subject": "From Python",
            "email_activity_parties": [
                {"partyid_systemuser@odata.bind": f"/systemusers({have['user']})", "participationtypemask": 1},
                {"partyid_queue@odata.bind": f"/queues({have['queue']})", "participationtypemask": 2},
            ],
        },
    )
    item = records.create(
        "queueitem",
        {"queueid@odata.bind": f"/queues({have['queue']})", "objectid_email@odata.bind": f"/emails({email})"},
    )
    row = records.retrieve("queueitem", item, select=["title", "_objectid_value"])
    assert (row["title"], row["_objectid_value"]) == ("From Python", email), row
    row = records.retrieve("email", email, select=["subject"], expand=["email_activity_parties"])
    assert len(row["email_activity_parties"]) == 2, row


@step
def pages():
    sizes, seen = [], set()
    for page in records.list_pages(
        "email", filter="startswith(subject,'Seed ')", select=["subject"], orderby=["subject"], page_size=1000
    ):
        sizes.append(len(page))
        seen.update(row["activityid"] for row in page)
    assert sizes == [1000] * (WORLD["seeded"] // 1000), sizes
    assert len(seen) == WORLD["seeded"]


@step
def create_read_change_delete():
    contact = records.create("contact", {"firstname": "Grace", "lastname": "Hopper"})
    records.update("contact", contact, {"jobtitle": "Admiral"})
    row = records.retrieve("contact", contact, select=["fullname", "jobtitle"])
    assert row["jobtitle"] == "Admiral", row
    records.delete("contact", contact)
    assert records.retrieve("contact", contact) is None


@step
def a_label_instead_of_a_number():
    queue = records.create("queue", {"name": "Private", "queueviewtype": "Private"})
    assert records.retrieve("queue", queue, select=["queueviewtype"])["queueviewtype"] == 1


@step
def many_at_once():
    ids = records.create("account", [{"name": f"Many {n}"} for n in range(20)])
    assert len(set(ids)) == 20
    records.update("account", ids, {"description": "the same"})
    records.update("account", ids, [{"telephone1": str(n)} for n in range(20)])
    row = records.retrieve("account", ids[7], select=["name", "description", "telephone1"])
    assert (row["name"], row["description"], row["telephone1"]) == ("Many 7", "the same", "7"), row
    records.delete("account", ids)
    wait_for("the bulk deletion", lambda: not len(records.list("account", filter="startswith(name,'Many ')")))


@step
def a_batch_with_a_change_set():
    batch = client.batch.new()
    with batch.changeset() as changes:
        account = changes.records.create("account", {"name": "Batched"})
        changes.records.create(
            "contact", {"lastname": "Batched", "parentcustomerid_account@odata.bind": account}
        )
    result = batch.execute()
    assert not result.has_errors, result.failed
    found = records.list("contact", filter="lastname eq 'Batched'", select=["_parentcustomerid_value"]).first()
    assert found["_parentcustomerid_value"] is not None, found
    batch = client.batch.new()
    with batch.changeset() as changes:
        changes.records.create("account", {"name": "Half"})
        changes.records.create("account", {"nosuchcolumn": 1})
    assert batch.execute(continue_on_error=True).has_errors
    assert not len(records.list("account", filter="name eq 'Half'")), "a change set is atomic"


@step
def tables_and_columns():
    assert client.tables.get("mailbox") is not None
    assert any(column["LogicalName"] == "emailaddress" for column in client.tables.list_columns("mailbox"))


@step
def fetch_xml():
    xml = """<fetch count="5000"><entity name="email"><attribute name="subject"/><order attribute="subject"/>
        <filter><condition attribute="subject" operator="begins-with" value="Seed "/></filter></entity></fetch>"""
    rows = client.query.fetchxml(xml).execute()
    assert len({row["activityid"] for row in rows}) == WORLD["seeded"], len(rows)


@step
def sql():
    rows = client.query.sql("SELECT TOP 3 subject FROM email WHERE subject LIKE 'Seed %' ORDER BY subject")
    assert [row["subject"] for row in rows] == ["Seed 00000", "Seed 00001", "Seed 00002"], rows


@step
def errors():
    error = refused(400, lambda: records.create("mailbox", {"name": "without an address"}))
    assert "0x8005E211" in str(error.to_dict()), error.to_dict()
    error = refused(404, lambda: records.update("contact", "00000000-0000-0000-0000-00000000000a", {"jobtitle": "x"}))
    assert "0x80040217" in str(error.to_dict()), error.to_dict()
    limited = DataverseClient(WORLD["url"], Token(WORLD["limited"]))
    refused(403, lambda: limited.records.create("emailserverprofile", {"name": "not mine"}))
    stranger = DataverseClient(WORLD["url"], Token("wrong"))
    refused(401, lambda: stranger.records.create("contact", {"lastname": "x"}))


sys.exit(1 if failures else 0)
