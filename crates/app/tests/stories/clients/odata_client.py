"""A generic OData client that knows nothing of Postroom but its address: it
reads $metadata, makes classes of it, and works by them."""

import datetime
import sys

import requests
from odata import ODataService
from odata.exceptions import ODataError
from odata.flags import ODataServerFlags
from odata.query import Query

base, token = sys.argv[1:]
session = requests.Session()
session.trust_env = False
session.headers["Authorization"] = f"Bearer {token}"
# This client reads new rows' keys from the answer alone.
session.headers["Prefer"] = "return=representation"
service = ODataService(
    base, session=session, reflect_entities=True, quiet_progress=True,
    server_flags=ODataServerFlags(skip_null_properties=True),
)

Account, Contact, Email, Mailbox, Activity = (
    service.entities[name] for name in ("accounts", "contacts", "emails", "mailboxes", "activitypointers")
)

# Every set that the document names can be read by it.
for name, entity in service.entities.items():
    service.query(entity).limit(1).all()

# Create, by the properties that the document says can be written.
account = Account()
account.name = "Contoso"
account.telephone1 = "+1 555 0100"
service.save(account)
assert account.accountid, "no key"

contact = Contact()
contact.firstname, contact.lastname, contact.emailaddress1 = "Ann", "O'Brien", "ann@contoso.test"
contact.parentcustomerid_account = account
service.save(contact)

# List and filter: text with a quote in it, a part of a text, a number, two at once.
for words in (
    Contact.lastname == "O'Brien",
    Contact.emailaddress1.startswith("ann@"),
    Contact.statecode == 0,
    Query.and_(Contact.firstname == "Ann", Contact.createdon > datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)),
):
    found = service.query(Contact).filter(words).all()
    assert [c.contactid for c in found] == [contact.contactid], words
assert service.query(Contact).filter(Contact.lastname == "Nobody").all() == []
names = [c.lastname for c in service.query(Contact).order_by(Contact.lastname.desc()).limit(5)]
assert names == ["O'Brien"], names

# Follow what the document says can be navigated, both ways.
again = service.query(Contact).get(contact.contactid)
assert again.parentcustomerid_account.name == "Contoso"
assert again._parentcustomerid_value == account.accountid
members = service.query(Account).get(account.accountid).contact_customer_accounts
assert [m.lastname for m in members] == ["O'Brien"], members

# Update: what changed, and nothing else.
again.firstname = "Anna"
service.save(again)
assert service.query(Contact).get(contact.contactid).fullname == "Anna O'Brien"

# What an email has of all activities and what is its own.
email = Email()
email.subject, email.description = "Hello", "<p>Hello</p>"
email.regardingobjectid_account_email = account
service.save(email)
activity = service.query(Activity).filter(Activity.subject == "Hello").first()
assert (activity.activityid, activity.activitytypecode) == (email.activityid, "email")
assert email.regardingobjectid_account_email.name == "Contoso"

# A function, called as it is declared; of complex results this client knows nothing.
assert "RetrieveVersion" in service.functions
service.functions["WhoAmI"]()

# What is wrong is told in the server's words.
wrong = Mailbox()
wrong.name, wrong.emailaddress = "Forward", "no address"
try:
    service.save(wrong)
except ODataError as error:
    assert "emailaddress" in str(error) or "address" in str(error), error
else:
    raise AssertionError("a mailbox without a valid address was made")

# Delete.
service.delete(email)
service.delete(contact)
assert service.query(Contact).all() == []
assert service.query(Activity).all() == []
print(f"{len(service.entities)} sets")
