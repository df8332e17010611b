-- Who may do what: roles, privileges, teams' members, sharing, field security;
-- and the views. Written in the language of 0001_initial.sql.

CREATE TABLE "teammembership" (
    "teammembershipid" {id} PRIMARY KEY NOT NULL,
    "teamid" {id},
    "systemuserid" {id},
    "createdon" {time},
    "createdby" {id},
    "modifiedon" {time},
    "modifiedby" {id},
    "versionnumber" {int}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "role" (
    "roleid" {id} PRIMARY KEY NOT NULL,
    "name" {text},
    "businessunitid" {id},
    "roletemplateid" {id},
    "ismanaged" {bool} DEFAULT {false},
    "createdon" {time},
    "createdby" {id},
    "modifiedon" {time},
    "modifiedby" {id},
    "versionnumber" {int},
    "description" {text}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "privilege" (
    "privilegeid" {id} PRIMARY KEY NOT NULL,
    "name" {text},
    "accessright" {int} DEFAULT 0,
    "canbebasic" {bool} DEFAULT {false},
    "canbelocal" {bool} DEFAULT {false},
    "canbedeep" {bool} DEFAULT {false},
    "canbeglobal" {bool} DEFAULT {false},
    "createdon" {time},
    "createdby" {id},
    "modifiedon" {time},
    "modifiedby" {id},
    "versionnumber" {int}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "roleprivileges" (
    "roleprivilegeid" {id} PRIMARY KEY NOT NULL,
    "roleid" {id},
    "privilegeid" {id},
    "privilegedepthmask" {int} DEFAULT 1,
    "createdon" {time},
    "createdby" {id},
    "modifiedon" {time},
    "modifiedby" {id},
    "versionnumber" {int}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "systemuserroles" (
    "systemuserroleid" {id} PRIMARY KEY NOT NULL,
    "systemuserid" {id},
    "roleid" {id},
    "createdon" {time},
    "createdby" {id},
    "modifiedon" {time},
    "modifiedby" {id},
    "versionnumber" {int}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "teamroles" (
    "teamroleid" {id} PRIMARY KEY NOT NULL,
    "teamid" {id},
    "roleid" {id},
    "createdon" {time},
    "createdby" {id},
    "modifiedon" {time},
    "modifiedby" {id},
    "versionnumber" {int}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "fieldsecurityprofile" (
    "fieldsecurityprofileid" {id} PRIMARY KEY NOT NULL,
    "name" {text},
    "createdon" {time},
    "createdby" {id},
    "modifiedon" {time},
    "modifiedby" {id},
    "versionnumber" {int},
    "description" {text}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "fieldpermission" (
    "fieldpermissionid" {id} PRIMARY KEY NOT NULL,
    "fieldsecurityprofileid" {id},
    "entityname" {text},
    "attributelogicalname" {text},
    "canread" {int} DEFAULT 0,
    "cancreate" {int} DEFAULT 0,
    "canupdate" {int} DEFAULT 0,
    "createdon" {time},
    "createdby" {id},
    "modifiedon" {time},
    "modifiedby" {id},
    "versionnumber" {int}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "systemuserprofiles" (
    "systemuserprofileid" {id} PRIMARY KEY NOT NULL,
    "systemuserid" {id},
    "fieldsecurityprofileid" {id},
    "createdon" {time},
    "createdby" {id},
    "modifiedon" {time},
    "modifiedby" {id},
    "versionnumber" {int}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "teamprofiles" (
    "teamprofileid" {id} PRIMARY KEY NOT NULL,
    "teamid" {id},
    "fieldsecurityprofileid" {id},
    "createdon" {time},
    "createdby" {id},
    "modifiedon" {time},
    "modifiedby" {id},
    "versionnumber" {int}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "savedquery" (
    "savedqueryid" {id} PRIMARY KEY NOT NULL,
    "name" {text},
    "returnedtypecode" {text},
    "querytype" {int} DEFAULT 0,
    "isdefault" {bool} DEFAULT {false},
    "statecode" {int} DEFAULT 0,
    "statuscode" {int} DEFAULT 1,
    "isquickfindquery" {bool} DEFAULT {false},
    "isuserdefined" {bool} DEFAULT {false},
    "createdon" {time},
    "createdby" {id},
    "modifiedon" {time},
    "modifiedby" {id},
    "versionnumber" {int},
    "fetchxml" {text},
    "description" {text},
    "layoutxml" {text},
    "columnsetxml" {text}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "userquery" (
    "userqueryid" {id} PRIMARY KEY NOT NULL,
    "name" {text},
    "ownerid" {id},
    "ownerid__table" {text},
    "returnedtypecode" {text},
    "querytype" {int} DEFAULT 0,
    "statecode" {int} DEFAULT 0,
    "statuscode" {int} DEFAULT 1,
    "parentqueryid" {id},
    "createdon" {time},
    "createdby" {id},
    "modifiedon" {time},
    "modifiedby" {id},
    "versionnumber" {int},
    "fetchxml" {text},
    "description" {text},
    "layoutxml" {text},
    "columnsetxml" {text}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "principalobjectaccess" (
    "principalobjectaccessid" {id} PRIMARY KEY NOT NULL,
    "objectid" {id},
    "objectid__table" {text},
    "principalid" {id},
    "principalid__table" {text},
    "accessrightsmask" {int} DEFAULT 0,
    "createdon" {time},
    "createdby" {id},
    "modifiedon" {time},
    "modifiedby" {id},
    "versionnumber" {int}
[sqlite]) STRICT;
[postgres]);

-- Unique keys.

CREATE UNIQUE INDEX ux_privilege_name ON privilege (name);
CREATE UNIQUE INDEX ux_roleprivileges ON roleprivileges (roleid, privilegeid);
CREATE UNIQUE INDEX ux_systemuserroles ON systemuserroles (systemuserid, roleid);
CREATE UNIQUE INDEX ux_teamroles ON teamroles (teamid, roleid);
CREATE UNIQUE INDEX ux_teammembership ON teammembership (systemuserid, teamid);
CREATE UNIQUE INDEX ux_fieldpermission ON fieldpermission (fieldsecurityprofileid, entityname, attributelogicalname);
CREATE UNIQUE INDEX ux_systemuserprofiles ON systemuserprofiles (systemuserid, fieldsecurityprofileid);
CREATE UNIQUE INDEX ux_teamprofiles ON teamprofiles (teamid, fieldsecurityprofileid);
CREATE UNIQUE INDEX ux_principalobjectaccess ON principalobjectaccess (principalid, objectid);

-- What lists are narrowed by.

CREATE INDEX ix_principalobjectaccess_objectid ON principalobjectaccess (objectid);
CREATE INDEX ix_teammembership_teamid ON teammembership (teamid);
CREATE INDEX ix_systemuser_businessunitid ON systemuser (businessunitid);
CREATE INDEX ix_email_ownerid ON email (ownerid);
CREATE INDEX ix_mailbox_ownerid ON mailbox (ownerid);

-- What deleted rows leave behind, for those who follow changes, and whose they
-- were; and up to which version such marks are gone.

CREATE TABLE pr_tombstone (
    tablename {text} NOT NULL,
    version {int} NOT NULL,
    row {id} NOT NULL,
    deletedon {time} NOT NULL,
    owner {id},
    PRIMARY KEY (tablename, version)
[sqlite]) WITHOUT ROWID, STRICT;
[postgres]);
CREATE INDEX ix_pr_tombstone_deletedon ON pr_tombstone (deletedon);

CREATE TABLE pr_forgotten (
    tablename {text} PRIMARY KEY NOT NULL,
    version {int} NOT NULL
[sqlite]) WITHOUT ROWID, STRICT;
[postgres]);

-- Changes are read in the order of their versions.

[sqlite]CREATE INDEX ix_systemuser_versionnumber ON systemuser (versionnumber);
[postgres]CREATE INDEX ix_systemuser_versionnumber ON systemuser (versionnumber NULLS FIRST);
[sqlite]CREATE INDEX ix_businessunit_versionnumber ON businessunit (versionnumber);
[postgres]CREATE INDEX ix_businessunit_versionnumber ON businessunit (versionnumber NULLS FIRST);
[sqlite]CREATE INDEX ix_team_versionnumber ON team (versionnumber);
[postgres]CREATE INDEX ix_team_versionnumber ON team (versionnumber NULLS FIRST);
[sqlite]CREATE INDEX ix_queue_versionnumber ON queue (versionnumber);
[postgres]CREATE INDEX ix_queue_versionnumber ON queue (versionnumber NULLS FIRST);
[sqlite]CREATE INDEX ix_queueitem_versionnumber ON queueitem (versionnumber);
[postgres]CREATE INDEX ix_queueitem_versionnumber ON queueitem (versionnumber NULLS FIRST);
[sqlite]CREATE INDEX ix_account_versionnumber ON account (versionnumber);
[postgres]CREATE INDEX ix_account_versionnumber ON account (versionnumber NULLS FIRST);
[sqlite]CREATE INDEX ix_contact_versionnumber ON contact (versionnumber);
[postgres]CREATE INDEX ix_contact_versionnumber ON contact (versionnumber NULLS FIRST);
[sqlite]CREATE INDEX ix_lead_versionnumber ON lead (versionnumber);
[postgres]CREATE INDEX ix_lead_versionnumber ON lead (versionnumber NULLS FIRST);
[sqlite]CREATE INDEX ix_email_versionnumber ON email (versionnumber);
[postgres]CREATE INDEX ix_email_versionnumber ON email (versionnumber NULLS FIRST);
[sqlite]CREATE INDEX ix_activitymimeattachment_versionnumber ON activitymimeattachment (versionnumber);
[postgres]CREATE INDEX ix_activitymimeattachment_versionnumber ON activitymimeattachment (versionnumber NULLS FIRST);
[sqlite]CREATE INDEX ix_mailbox_versionnumber ON mailbox (versionnumber);
[postgres]CREATE INDEX ix_mailbox_versionnumber ON mailbox (versionnumber NULLS FIRST);
[sqlite]CREATE INDEX ix_emailserverprofile_versionnumber ON emailserverprofile (versionnumber);
[postgres]CREATE INDEX ix_emailserverprofile_versionnumber ON emailserverprofile (versionnumber NULLS FIRST);
[sqlite]CREATE INDEX ix_tracelog_versionnumber ON tracelog (versionnumber);
[postgres]CREATE INDEX ix_tracelog_versionnumber ON tracelog (versionnumber NULLS FIRST);

-- Webhooks: receivers, subscriptions, and what is to be told to them.

CREATE TABLE "serviceendpoint" (
    "serviceendpointid" {id} PRIMARY KEY NOT NULL,
    "name" {text},
    "contract" {int} DEFAULT 8,
    "url" {text},
    "authtype" {int} DEFAULT 4,
    "messageformat" {int} DEFAULT 2,
    "isauthvalueset" {bool} DEFAULT {false},
    "pr_issigningsecretset" {bool} DEFAULT {false},
    "pr_enabled" {bool} DEFAULT {true},
    "createdon" {time},
    "createdby" {id},
    "modifiedon" {time},
    "modifiedby" {id},
    "versionnumber" {int},
    "description" {text}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "sdkmessage" (
    "sdkmessageid" {id} PRIMARY KEY NOT NULL,
    "name" {text},
    "categoryname" {text},
    "isactive" {bool} DEFAULT {true},
    "isprivate" {bool} DEFAULT {false},
    "availability" {int} DEFAULT 0,
    "createdon" {time},
    "createdby" {id},
    "modifiedon" {time},
    "modifiedby" {id},
    "versionnumber" {int}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "sdkmessagefilter" (
    "sdkmessagefilterid" {id} PRIMARY KEY NOT NULL,
    "name" {text},
    "sdkmessageid" {id},
    "primaryobjecttypecode" {text},
    "secondaryobjecttypecode" {text},
    "iscustomprocessingstepallowed" {bool} DEFAULT {true},
    "isvisible" {bool} DEFAULT {true},
    "availability" {int} DEFAULT 0,
    "createdon" {time},
    "createdby" {id},
    "modifiedon" {time},
    "modifiedby" {id},
    "versionnumber" {int}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "sdkmessageprocessingstep" (
    "sdkmessageprocessingstepid" {id} PRIMARY KEY NOT NULL,
    "name" {text},
    "eventhandler" {id},
    "sdkmessageid" {id},
    "sdkmessagefilterid" {id},
    "stage" {int} DEFAULT 40,
    "mode" {int} DEFAULT 1,
    "statecode" {int} DEFAULT 0,
    "statuscode" {int} DEFAULT 1,
    "description" {text},
    "rank" {int} DEFAULT 1,
    "supporteddeployment" {int} DEFAULT 0,
    "asyncautodelete" {bool} DEFAULT {false},
    "impersonatinguserid" {id},
    "createdon" {time},
    "createdby" {id},
    "modifiedon" {time},
    "modifiedby" {id},
    "versionnumber" {int},
    "filteringattributes" {text},
    "pr_postimageattributes" {text},
    "configuration" {text}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "pr_event" (
    "pr_eventid" {id} PRIMARY KEY NOT NULL,
    "pr_serviceendpointid" {id},
    "pr_stepid" {id},
    "pr_message" {text},
    "pr_table" {text},
    "pr_row" {id},
    "pr_order" {int} DEFAULT 0,
    "pr_userid" {id},
    "pr_occurredon" {time},
    "pr_correlationid" {id},
    "pr_sizeexceeded" {bool} DEFAULT {false},
    "pr_state" {int} DEFAULT 0,
    "pr_attempts" {int} DEFAULT 0,
    "pr_since" {time},
    "pr_nextrun" {time},
    "pr_leaseuntil" {time},
    "pr_leaseholder" {text},
    "pr_status" {int},
    "pr_answer" {text},
    "pr_deliveredon" {time},
    "createdon" {time},
    "createdby" {id},
    "modifiedon" {time},
    "modifiedby" {id},
    "versionnumber" {int},
    "pr_values" {text}
[sqlite]) STRICT;
[postgres]);

CREATE INDEX ix_pr_event_waiting ON pr_event (pr_serviceendpointid, pr_state, pr_nextrun);
CREATE INDEX ix_pr_event_row ON pr_event (pr_row);
CREATE INDEX ix_sdkmessageprocessingstep_eventhandler ON sdkmessageprocessingstep (eventhandler);


-- Signing in: passwords, sessions, tokens of services. None of it is on the wire.

CREATE TABLE "pr_login" (
    "pr_loginid" {id} PRIMARY KEY NOT NULL,
    "pr_passwordhash" {text},
    "pr_passwordseton" {time},
    "pr_failures" {int} DEFAULT 0,
    "pr_failedon" {time},
    "pr_istotpon" {bool} DEFAULT {false},
    "pr_totpstep" {int},
    "pr_istotpset" {bool} DEFAULT {false},
    "pr_recovery" {text}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "pr_identity" (
    "pr_identityid" {id} PRIMARY KEY NOT NULL,
    "pr_systemuserid" {id},
    "pr_issuer" {text},
    "pr_subject" {text},
    "pr_createdon" {time}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "pr_session" (
    "pr_sessionid" {id} PRIMARY KEY NOT NULL,
    "pr_systemuserid" {id},
    "pr_hash" {bytes},
    "pr_createdon" {time},
    "pr_seenon" {time},
    "pr_expireson" {time},
    "pr_method" {text},
    "pr_address" {text},
    "pr_agent" {text}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "pr_ticket" (
    "pr_ticketid" {id} PRIMARY KEY NOT NULL,
    "pr_hash" {bytes},
    "pr_kind" {text},
    "pr_systemuserid" {id},
    "pr_createdon" {time},
    "pr_expireson" {time},
    "pr_detail" {text}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "pr_clientsecret" (
    "pr_clientsecretid" {id} PRIMARY KEY NOT NULL,
    "pr_systemuserid" {id},
    "pr_name" {text},
    "pr_hash" {bytes},
    "pr_createdon" {time},
    "pr_expireson" {time},
    "pr_lastusedon" {time}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "pr_signingkey" (
    "pr_signingkeyid" {id} PRIMARY KEY NOT NULL,
    "pr_public" {bytes},
    "pr_createdon" {time},
    "pr_isprivateset" {bool} DEFAULT {false}
[sqlite]) STRICT;
[postgres]);

-- API tokens are on the wire now: they have what every such table has.

ALTER TABLE pr_apitoken ADD COLUMN "pr_scopes" {text};
ALTER TABLE pr_apitoken RENAME COLUMN "pr_createdon" TO "createdon";
ALTER TABLE pr_apitoken ADD COLUMN "createdby" {id};
ALTER TABLE pr_apitoken ADD COLUMN "modifiedon" {time};
ALTER TABLE pr_apitoken ADD COLUMN "modifiedby" {id};
ALTER TABLE pr_apitoken ADD COLUMN "versionnumber" {int};
UPDATE pr_apitoken SET "createdby" = "pr_systemuserid", "modifiedon" = "createdon", "modifiedby" = "pr_systemuserid", "versionnumber" = 1;

CREATE UNIQUE INDEX ux_pr_identity ON pr_identity (pr_issuer, pr_subject);
CREATE UNIQUE INDEX ux_pr_session_hash ON pr_session (pr_hash);
CREATE UNIQUE INDEX ux_pr_ticket_hash ON pr_ticket (pr_hash);
CREATE UNIQUE INDEX ux_pr_clientsecret_hash ON pr_clientsecret (pr_hash);
CREATE UNIQUE INDEX ux_systemuser_applicationid ON systemuser (applicationid) WHERE applicationid IS NOT NULL;
CREATE INDEX ix_pr_session_systemuserid ON pr_session (pr_systemuserid);
CREATE INDEX ix_pr_ticket_expireson ON pr_ticket (pr_expireson);
CREATE INDEX ix_pr_apitoken_systemuserid ON pr_apitoken (pr_systemuserid);
CREATE INDEX ix_pr_clientsecret_systemuserid ON pr_clientsecret (pr_systemuserid);

-- The audit trail: from where, through whom; and it is on the wire.

ALTER TABLE pr_audit ADD COLUMN "pr_callinguserid" {id};
ALTER TABLE pr_audit ADD COLUMN "pr_door" {text};
ALTER TABLE pr_audit ADD COLUMN "pr_remoteaddress" {text};
ALTER TABLE pr_audit ADD COLUMN "pr_useragent" {text};
ALTER TABLE pr_audit ADD COLUMN "pr_requestid" {text};
ALTER TABLE pr_audit ADD COLUMN "createdon" {time};
ALTER TABLE pr_audit ADD COLUMN "createdby" {id};
ALTER TABLE pr_audit ADD COLUMN "modifiedon" {time};
ALTER TABLE pr_audit ADD COLUMN "modifiedby" {id};
ALTER TABLE pr_audit ADD COLUMN "versionnumber" {int};
UPDATE pr_audit SET createdon = pr_at, createdby = pr_systemuserid, modifiedon = pr_at, modifiedby = pr_systemuserid, versionnumber = 0;
[sqlite]CREATE INDEX ix_pr_audit_at ON pr_audit (pr_at);
[postgres]CREATE INDEX ix_pr_audit_at ON pr_audit (pr_at NULLS FIRST);
