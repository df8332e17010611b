-- What the web application needs of its own. Written in the language of
-- 0001_initial.sql.

-- The steps of a mailbox's last configuration test, as they are taken.

CREATE TABLE "pr_teststep" (
    "pr_teststepid" {id} PRIMARY KEY NOT NULL,
    "pr_mailboxid" {id},
    "pr_route" {int} DEFAULT 0,
    "pr_number" {int} DEFAULT 0,
    "pr_attempt" {int} DEFAULT 0,
    "pr_takenon" {time},
    "pr_step" {text},
    "pr_passed" {bool} DEFAULT {false},
    "pr_said" {text},
    "pr_advice" {text},
    "pr_transcript" {text}
[sqlite]) STRICT;
[postgres]);

CREATE INDEX ix_pr_teststep_mailboxid ON pr_teststep (pr_mailboxid, pr_number);

-- "What became of my message?": the newest of a mailbox first.

[sqlite]CREATE INDEX ix_pr_ledgerentry_seenon ON pr_ledgerentry (pr_mailboxid, pr_seenon);
[postgres]CREATE INDEX ix_pr_ledgerentry_seenon ON pr_ledgerentry (pr_mailboxid, pr_seenon DESC NULLS LAST);

-- What pages ask of servers: settings looked up, connections tested.

CREATE TABLE "pr_inquiry" (
    "pr_inquiryid" {id} PRIMARY KEY NOT NULL,
    "pr_systemuserid" {id},
    "pr_kind" {int} DEFAULT 0,
    "pr_state" {int} DEFAULT 0,
    "pr_askedon" {time},
    "pr_leaseuntil" {time},
    "pr_holder" {text},
    "pr_address" {text},
    "pr_servertype" {int} DEFAULT 4,
    "pr_incominglocation" {text},
    "pr_incomingport" {int},
    "pr_incomingssl" {bool} DEFAULT {true},
    "pr_incominguser" {text},
    "pr_outgoinglocation" {text},
    "pr_outgoingport" {int},
    "pr_outgoingssl" {bool} DEFAULT {true},
    "pr_outgoinguser" {text},
    "pr_anonymous" {bool} DEFAULT {false},
    "pr_emailserverprofileid" {id},
    "pr_progress" {text},
    "pr_result" {text},
    "pr_isincomingpasswordset" {bool} DEFAULT {false},
    "pr_isoutgoingpasswordset" {bool} DEFAULT {false}
[sqlite]) STRICT;
[postgres]);

CREATE INDEX ix_pr_inquiry_state ON pr_inquiry (pr_state);
CREATE INDEX ix_pr_inquiry_systemuserid ON pr_inquiry (pr_systemuserid, pr_askedon);
-- What stands under the emails that a user writes.

ALTER TABLE "usersettings" ADD COLUMN "pr_signature" {text};
