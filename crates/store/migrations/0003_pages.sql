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
    "pr_mailboxid" {id},
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

-- Work: personal options; activities by time; what waits in queues.

ALTER TABLE usersettings ADD COLUMN "pr_theme" {int} DEFAULT 0;
ALTER TABLE usersettings ADD COLUMN "pr_defaultviews" {text};

UPDATE email SET sortdate = COALESCE(pr_receivedon, senton, createdon) WHERE sortdate IS NULL;
[sqlite]CREATE INDEX ix_email_sortdate ON email (sortdate);
[postgres]CREATE INDEX ix_email_sortdate ON email (sortdate NULLS FIRST);
DROP INDEX ix_email_regardingobjectid;
[sqlite]CREATE INDEX ix_email_regardingobjectid ON email (regardingobjectid, sortdate) WHERE regardingobjectid IS NOT NULL;
[postgres]CREATE INDEX ix_email_regardingobjectid ON email (regardingobjectid, sortdate NULLS FIRST) WHERE regardingobjectid IS NOT NULL;
DROP INDEX ix_email_ownerid;
[sqlite]CREATE INDEX ix_email_ownerid ON email (ownerid, statuscode, sortdate);
[postgres]CREATE INDEX ix_email_ownerid ON email (ownerid, statuscode, sortdate NULLS FIRST);
DROP INDEX ix_queueitem_queueid;
CREATE INDEX ix_queueitem_worked ON queueitem (queueid, statecode, workerid, workerid__table, enteredon);
[sqlite]CREATE INDEX ix_queueitem_queueid ON queueitem (queueid, statecode, enteredon);
[postgres]CREATE INDEX ix_queueitem_queueid ON queueitem (queueid, statecode, enteredon NULLS FIRST);
CREATE INDEX ix_queueitem_workerid ON queueitem (workerid) WHERE workerid IS NOT NULL;
DROP INDEX ix_activityparty_activityid;
CREATE INDEX ix_activityparty_activityid ON activityparty (activityid, partyid);
[sqlite]CREATE INDEX ix_activityparty_unresolved ON activityparty (createdon) WHERE partyid IS NULL;
[postgres]CREATE INDEX ix_activityparty_unresolved ON activityparty (createdon NULLS FIRST) WHERE partyid IS NULL;

-- Work for the machine that no mailbox asked for.

CREATE TABLE "pr_job" (
    "pr_jobid" {id} PRIMARY KEY NOT NULL,
    "pr_kind" {int} DEFAULT 0,
    "pr_state" {int} DEFAULT 0,
    "pr_systemuserid" {id},
    "pr_askedon" {time},
    "pr_startedon" {time},
    "pr_finishedon" {time},
    "pr_leaseuntil" {time},
    "pr_leaseholder" {text},
    "pr_attempts" {int} DEFAULT 0,
    "pr_done" {int},
    "pr_total" {int},
    "pr_file" {text},
    "pr_size" {int},
    "pr_outcome" {text},
    "pr_scheduledfor" {time}
[sqlite]) STRICT;
[postgres]);

CREATE INDEX ix_pr_job_state ON pr_job (pr_state);

-- Commands on many rows of a list, and what became of each row.

CREATE TABLE "pr_bulkcommand" (
    "pr_bulkcommandid" {id} PRIMARY KEY NOT NULL,
    "pr_state" {int} DEFAULT 0,
    "pr_table" {text},
    "pr_title" {text},
    "pr_deed" {text},
    "pr_back" {text},
    "pr_systemuserid" {id},
    "pr_askedon" {time},
    "pr_startedon" {time},
    "pr_finishedon" {time},
    "pr_leaseuntil" {time},
    "pr_fence" {int} DEFAULT 0,
    "pr_total" {int} DEFAULT 0,
    "pr_done" {int} DEFAULT 0,
    "pr_refused" {int} DEFAULT 0,
    "pr_failed" {int} DEFAULT 0
[sqlite]) STRICT;
[postgres]);

CREATE INDEX ix_pr_bulkcommand_state ON pr_bulkcommand (pr_state);
CREATE INDEX ix_pr_bulkcommand_systemuserid ON pr_bulkcommand (pr_systemuserid, pr_askedon);

CREATE TABLE "pr_bulkrow" (
    "pr_bulkrowid" {id} PRIMARY KEY NOT NULL,
    "pr_bulkcommandid" {id},
    "pr_position" {int} DEFAULT 0,
    "pr_row" {id},
    "pr_name" {text},
    "pr_outcome" {int} DEFAULT 0,
    "pr_why" {text},
    "pr_tries" {int} DEFAULT 0
[sqlite]) STRICT;
[postgres]);

CREATE INDEX ix_pr_bulkrow_command ON pr_bulkrow (pr_bulkcommandid, pr_outcome, pr_tries, pr_position);

-- How long what is kept is kept.

ALTER TABLE organization ADD COLUMN "pr_ledgerretentiondays" {int} DEFAULT 0;
ALTER TABLE organization ADD COLUMN "pr_alertretentiondays" {int} DEFAULT 0;
ALTER TABLE organization ADD COLUMN "pr_auditretentiondays" {int} DEFAULT 0;
ALTER TABLE organization ADD COLUMN "pr_backupschedule" {int} DEFAULT 0;
ALTER TABLE organization ADD COLUMN "pr_backuphour" {int} DEFAULT 2;
ALTER TABLE organization ADD COLUMN "pr_backupday" {int} DEFAULT 0;
ALTER TABLE organization ADD COLUMN "pr_backuptimezonecode" {int} DEFAULT 92;
ALTER TABLE organization ADD COLUMN "pr_backupkeep" {int} DEFAULT 7;
ALTER TABLE organization ADD COLUMN "pr_backupsince" {time};
ALTER TABLE pr_ledgerentry ADD COLUMN "pr_clearedon" {time};
CREATE INDEX ix_pr_ledgerentry_uncleared ON pr_ledgerentry (pr_seenon) WHERE pr_clearedon IS NULL;
[sqlite]CREATE INDEX ix_tracelog_modifiedon ON tracelog (modifiedon);
[postgres]CREATE INDEX ix_tracelog_modifiedon ON tracelog (modifiedon NULLS FIRST);

-- The audit trail only grows, whoever asks: rows go when they are older than
-- the organization keeps them, and never before thirty days. The database's
-- own clock decides.

[sqlite]CREATE TRIGGER tr_pr_audit_update BEFORE UPDATE ON pr_audit
[sqlite]BEGIN
[sqlite]    SELECT RAISE(ABORT, 'the audit trail only grows');
[sqlite]END;
[sqlite]CREATE TRIGGER tr_pr_audit_delete BEFORE DELETE ON pr_audit
[sqlite]WHEN NOT EXISTS (SELECT 1 FROM organization WHERE pr_auditretentiondays >= 30
[sqlite]    AND OLD.pr_at < (unixepoch() - pr_auditretentiondays * 86400) * 1000000)
[sqlite]BEGIN
[sqlite]    SELECT RAISE(ABORT, 'the audit trail only grows');
[sqlite]END;
[postgres]CREATE FUNCTION pr_audit_grows() RETURNS trigger LANGUAGE plpgsql AS $$
[postgres]BEGIN
[postgres]    RAISE EXCEPTION 'the audit trail only grows';
[postgres]END $$;
[postgres]CREATE FUNCTION pr_audit_old() RETURNS trigger LANGUAGE plpgsql AS $$
[postgres]BEGIN
[postgres]    IF EXISTS (SELECT 1 FROM organization WHERE pr_auditretentiondays >= 30
[postgres]        AND OLD.pr_at < (extract(epoch FROM now()) - pr_auditretentiondays * 86400) * 1000000) THEN
[postgres]        RETURN OLD;
[postgres]    END IF;
[postgres]    RAISE EXCEPTION 'the audit trail only grows';
[postgres]END $$;
[postgres]CREATE TRIGGER tr_pr_audit_update BEFORE UPDATE ON pr_audit FOR EACH ROW EXECUTE FUNCTION pr_audit_grows();
[postgres]CREATE TRIGGER tr_pr_audit_delete BEFORE DELETE ON pr_audit FOR EACH ROW EXECUTE FUNCTION pr_audit_old();
[postgres]CREATE TRIGGER tr_pr_audit_truncate BEFORE TRUNCATE ON pr_audit FOR EACH STATEMENT EXECUTE FUNCTION pr_audit_grows();

-- Lists: the newest of one's emails, and of those in one status.

[sqlite]CREATE INDEX ix_email_ownerid_sortdate ON email (ownerid, sortdate);
[postgres]CREATE INDEX ix_email_ownerid_sortdate ON email (ownerid, sortdate NULLS FIRST);
[sqlite]CREATE INDEX ix_email_statuscode_sortdate ON email (statuscode, sortdate);
[postgres]CREATE INDEX ix_email_statuscode_sortdate ON email (statuscode, sortdate NULLS FIRST);

-- Processes that work on mailboxes, and what people say about the help.

CREATE TABLE "pr_node" (
    "pr_nodeid" {id} PRIMARY KEY NOT NULL,
    "pr_name" {text},
    "pr_version" {text},
    "pr_startedon" {time},
    "pr_seenon" {time}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "pr_nodeconnection" (
    "pr_nodeconnectionid" {id} PRIMARY KEY NOT NULL,
    "pr_nodeid" {id},
    "pr_emailserverprofileid" {id},
    "pr_host" {text},
    "pr_open" {int} DEFAULT 0,
    "pr_idle" {int} DEFAULT 0,
    "pr_most" {int} DEFAULT 0,
    "pr_waiting" {int} DEFAULT 0
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "pr_helpfeedback" (
    "pr_helpfeedbackid" {id} PRIMARY KEY NOT NULL,
    "pr_topic" {text},
    "pr_found" {bool} DEFAULT {false},
    "pr_comment" {text},
    "pr_language" {text},
    "createdon" {time},
    "createdby" {id},
    "modifiedon" {time},
    "modifiedby" {id},
    "versionnumber" {int}
[sqlite]) STRICT;
[postgres]);

-- What was seen in the last hours, whose ever it was.

CREATE INDEX ix_pr_ledgerentry_hours ON pr_ledgerentry (pr_seenon, pr_disposition);

-- Words: emails and the ledger are found by how the words of some texts begin
-- (`words` of the declarations; `store::words` says what a word is).
--
-- SQLite: an index that holds words and no texts. Rows are put into it 256 at a
-- time, because each time costs as much as 64 rows do; the number of the last
-- row in it stands in pr_counter, and those after it are looked through.
--
-- PostgreSQL: each word begins with the number of its text.

[sqlite]CREATE VIRTUAL TABLE email__words USING fts5(subject, sender, torecipients,
[sqlite]    content='', contentless_delete=1, tokenize='ascii', detail='column', prefix='2 3');
[sqlite]INSERT INTO email__words (rowid, subject, sender, torecipients)
[sqlite]    SELECT rowid, words(subject), words(sender), words(torecipients) FROM email;
[sqlite]INSERT INTO pr_counter (name, value) SELECT 'words email', coalesce(max(rowid), 0) FROM email;
[sqlite]CREATE TRIGGER tr_email_words_insert AFTER INSERT ON email
[sqlite]WHEN NEW.rowid % 256 = 0 OR NEW.rowid <= (SELECT value FROM pr_counter WHERE name = 'words email')
[sqlite]BEGIN
[sqlite]    INSERT INTO email__words (rowid, subject, sender, torecipients)
[sqlite]        SELECT rowid, words(subject), words(sender), words(torecipients) FROM email
[sqlite]        WHERE rowid <= NEW.rowid
[sqlite]        AND rowid >= (SELECT min(value + 1, NEW.rowid) FROM pr_counter WHERE name = 'words email');
[sqlite]    UPDATE pr_counter SET value = max(value, NEW.rowid) WHERE name = 'words email';
[sqlite]END;
[sqlite]CREATE TRIGGER tr_email_words_update AFTER UPDATE OF subject, sender, torecipients ON email
[sqlite]WHEN OLD.rowid <= (SELECT value FROM pr_counter WHERE name = 'words email')
[sqlite]    AND (OLD.subject IS NOT NEW.subject OR OLD.sender IS NOT NEW.sender OR OLD.torecipients IS NOT NEW.torecipients)
[sqlite]BEGIN
[sqlite]    DELETE FROM email__words WHERE rowid = OLD.rowid;
[sqlite]    INSERT INTO email__words (rowid, subject, sender, torecipients)
[sqlite]        VALUES (NEW.rowid, words(NEW.subject), words(NEW.sender), words(NEW.torecipients));
[sqlite]END;
[sqlite]CREATE TRIGGER tr_email_words_delete AFTER DELETE ON email
[sqlite]WHEN OLD.rowid <= (SELECT value FROM pr_counter WHERE name = 'words email')
[sqlite]BEGIN
[sqlite]    DELETE FROM email__words WHERE rowid = OLD.rowid;
[sqlite]END;
[sqlite]CREATE VIRTUAL TABLE pr_ledgerentry__words USING fts5(pr_subject, pr_from,
[sqlite]    content='', contentless_delete=1, tokenize='ascii', detail='column', prefix='2 3');
[sqlite]INSERT INTO pr_ledgerentry__words (rowid, pr_subject, pr_from)
[sqlite]    SELECT rowid, words(pr_subject), words(pr_from) FROM pr_ledgerentry;
[sqlite]INSERT INTO pr_counter (name, value) SELECT 'words pr_ledgerentry', coalesce(max(rowid), 0) FROM pr_ledgerentry;
[sqlite]CREATE TRIGGER tr_pr_ledgerentry_words_insert AFTER INSERT ON pr_ledgerentry
[sqlite]WHEN NEW.rowid % 256 = 0 OR NEW.rowid <= (SELECT value FROM pr_counter WHERE name = 'words pr_ledgerentry')
[sqlite]BEGIN
[sqlite]    INSERT INTO pr_ledgerentry__words (rowid, pr_subject, pr_from)
[sqlite]        SELECT rowid, words(pr_subject), words(pr_from) FROM pr_ledgerentry
[sqlite]        WHERE rowid <= NEW.rowid
[sqlite]        AND rowid >= (SELECT min(value + 1, NEW.rowid) FROM pr_counter WHERE name = 'words pr_ledgerentry');
[sqlite]    UPDATE pr_counter SET value = max(value, NEW.rowid) WHERE name = 'words pr_ledgerentry';
[sqlite]END;
[sqlite]CREATE TRIGGER tr_pr_ledgerentry_words_update AFTER UPDATE OF pr_subject, pr_from ON pr_ledgerentry
[sqlite]WHEN OLD.rowid <= (SELECT value FROM pr_counter WHERE name = 'words pr_ledgerentry')
[sqlite]    AND (OLD.pr_subject IS NOT NEW.pr_subject OR OLD.pr_from IS NOT NEW.pr_from)
[sqlite]BEGIN
[sqlite]    DELETE FROM pr_ledgerentry__words WHERE rowid = OLD.rowid;
[sqlite]    INSERT INTO pr_ledgerentry__words (rowid, pr_subject, pr_from)
[sqlite]        VALUES (NEW.rowid, words(NEW.pr_subject), words(NEW.pr_from));
[sqlite]END;
[sqlite]CREATE TRIGGER tr_pr_ledgerentry_words_delete AFTER DELETE ON pr_ledgerentry
[sqlite]WHEN OLD.rowid <= (SELECT value FROM pr_counter WHERE name = 'words pr_ledgerentry')
[sqlite]BEGIN
[sqlite]    DELETE FROM pr_ledgerentry__words WHERE rowid = OLD.rowid;
[sqlite]END;
[postgres]CREATE FUNCTION pr_words(VARIADIC texts text[]) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 2000 AS $$
[postgres]    SELECT coalesce(array_to_tsvector(array_agg(DISTINCT place::text || left(word, 64))), ''::tsvector)
[postgres]    FROM unnest(texts) WITH ORDINALITY AS given (whole, place),
[postgres]        regexp_split_to_table(replace(lower(whole COLLATE "und-x-icu"), 'ς', 'σ') COLLATE "C",
[postgres]            '[\u0001-/:-@\u005b-\u0060\u007b-\u00bf\u00d7\u00f7\u2000-\u206f\u20a0-\u20cf\u2190-\u2bff\u3000-\u303f\ufe00-\ufe0f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\ufffd\U0001f000-\U0001faff]+') AS word
[postgres]    WHERE word <> ''
[postgres]$$;
[postgres]CREATE INDEX ix_email_words ON email USING gin (pr_words(subject, sender, torecipients)) WITH (gin_pending_list_limit = 256);
[postgres]CREATE INDEX ix_pr_ledgerentry_words ON pr_ledgerentry USING gin (pr_words(pr_subject, pr_from)) WITH (gin_pending_list_limit = 256);
