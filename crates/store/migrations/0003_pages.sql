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
