-- The tables of the first release. One column per declared column (see
-- `model::tables`), `…__table` beside a lookup with several targets; secrets
-- have no column. {id}, {time} and so on are the database's types. Lines that
-- begin with the name of a database in brackets are for that one only.

-- What the store keeps for itself.

[sqlite]CREATE TABLE pr_counter (name TEXT PRIMARY KEY NOT NULL, value INTEGER NOT NULL) STRICT;
[sqlite]INSERT INTO pr_counter (name, value) VALUES ('version', 0);
[postgres]CREATE SEQUENCE pr_version;

-- Sealed secrets.
CREATE TABLE pr_secret (
    row {id} NOT NULL,
    columnname {text} NOT NULL,
    tablename {text} NOT NULL,
    keyid {text} NOT NULL,
    nonce {bytes} NOT NULL,
    sealed {bytes} NOT NULL,
    PRIMARY KEY (row, columnname)
[sqlite]) WITHOUT ROWID, STRICT;
[postgres]);

-- Where each blob stands: segment file, octets from its start, octets there,
-- octets of the content.
CREATE TABLE pr_blob (
    hash {bytes} PRIMARY KEY NOT NULL,
    segment {int} NOT NULL,
    start {int} NOT NULL,
    stored {int} NOT NULL,
    raw {int} NOT NULL
[sqlite]) WITHOUT ROWID, STRICT;
[postgres]);

-- Who has an address: the e-mail columns of people's and queues' tables,
-- folded, with the number of the column.
CREATE TABLE pr_emailsearch (
    row {id} NOT NULL,
    number {int} NOT NULL,
    tablename {text} NOT NULL,
    address {text} NOT NULL,
    PRIMARY KEY (row, number)
[sqlite]) WITHOUT ROWID, STRICT;
[postgres]);
CREATE INDEX ix_pr_emailsearch_address ON pr_emailsearch (address);

-- The declared tables.

CREATE TABLE "organization" (
    "organizationid" {id} PRIMARY KEY NOT NULL,
    "name" {text},
    "requireapprovalforuseremail" {bool} DEFAULT {true},
    "requireapprovalforqueueemail" {bool} DEFAULT {true},
    "pr_requireprivilegetoselfapprove" {bool} DEFAULT {false},
    "defaultemailserverprofileid" {id},
    "pr_defaultincomingmethod" {int} DEFAULT 2,
    "pr_defaultoutgoingmethod" {int} DEFAULT 2,
    "pr_defaultactmethod" {int} DEFAULT 2,
    "pr_createmailboxes" {bool} DEFAULT {true},
    "emailcorrelationenabled" {bool} DEFAULT {true},
    "pr_usetrackingtokens" {bool} DEFAULT {true},
    "trackingprefix" {text},
    "ignoreinternalemail" {bool} DEFAULT {false},
    "unresolveemailaddressifmultiplematch" {bool} DEFAULT {false},
    "allowunresolvedpartiesonemailsend" {bool} DEFAULT {false},
    "maxuploadfilesize" {int} DEFAULT 5242880,
    "generatealertsforerrors" {bool} DEFAULT {true},
    "generatealertsforwarnings" {bool} DEFAULT {false},
    "generatealertsforinformation" {bool} DEFAULT {true},
    "notifymailboxownerofemailserverlevelalerts" {bool} DEFAULT {false},
    "emailconnectionchannel" {int} DEFAULT 0,
    "fullnameconventioncode" {int} DEFAULT 1,
    "pr_systemuserid" {id},
    "pr_issigningkeyset" {bool} DEFAULT {false},
    "enablesmartmatching" {bool} DEFAULT {false},
    "hashfilterkeywords" {text},
    "hashmaxcount" {int} DEFAULT 20,
    "hashdeltasubjectcount" {int} DEFAULT 0,
    "hashminaddresscount" {int} DEFAULT 2,
    "trackingtokenidbase" {int} DEFAULT 0,
    "trackingtokeniddigits" {int} DEFAULT 3,
    "maximumtrackingnumber" {int} DEFAULT 999,
    "nexttrackingnumber" {int} DEFAULT 1,
    "rendersecureiframeforemail" {bool} DEFAULT {true},
    "resolvesimilarunresolvedemailaddress" {bool} DEFAULT {true},
    "isfolderbasedtrackingenabled" {bool} DEFAULT {true},
    "maxfolderbasedtrackingmappings" {int} DEFAULT 25,
    "expirechangetrackingindays" {int} DEFAULT 30,
    "languagecode" {int} DEFAULT 1033,
    "localeid" {int} DEFAULT 1033,
    "allowautounsubscribe" {bool} DEFAULT {false},
    "allowoutlookscheduledsyncs" {bool} DEFAULT {true},
    "defaultcountrycode" {text},
    "emailsendpollingperiod" {int},
    "fiscalcalendarstart" {time},
    "futureexpansionwindow" {int},
    "pastexpansionwindow" {int},
    "globalappendurlparametersenabled" {bool} DEFAULT {true},
    "incomingemailexchangeemailretrievalbatchsize" {int},
    "isappointmentattachmentsyncenabled" {bool} DEFAULT {false},
    "isassignedtaskssyncenabled" {bool} DEFAULT {false},
    "isautodatacaptureenabled" {bool} DEFAULT {false},
    "iscontactmailingaddresssyncenabled" {bool} DEFAULT {false},
    "isemailserverprofilecontentfilteringenabled" {bool} DEFAULT {false},
    "ismailboxforcedunlockingenabled" {bool} DEFAULT {false},
    "ismailboxinactivebackoffenabled" {bool} DEFAULT {false},
    "isresourcebookingexchangesyncenabled" {bool} DEFAULT {false},
    "mailboxintermittentissueminrange" {int},
    "mailboxpermanentissueminrange" {int},
    "maxappointmentdurationdays" {int},
    "maxverboseloggingmailbox" {int},
    "maxverboseloggingsynccycles" {int},
    "minoutlooksyncinterval" {int},
    "recurrencedefaultnumberofoccurrences" {int},
    "recurrenceexpansionjobbatchinterval" {int},
    "recurrenceexpansionjobbatchsize" {int},
    "recurrenceexpansionsynchcreatemax" {int},
    "tagmaxaggressivecycles" {int},
    "tagpollingperiod" {int},
    "createdon" {time},
    "createdby" {id},
    "modifiedon" {time},
    "modifiedby" {id},
    "versionnumber" {int},
    "blockedattachments" {text},
    "defaultemailsettings" {text}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "businessunit" (
    "businessunitid" {id} PRIMARY KEY NOT NULL,
    "name" {text},
    "parentbusinessunitid" {id},
    "isdisabled" {bool} DEFAULT {false},
    "emailaddress" {text},
    "divisionname" {text},
    "websiteurl" {text},
    "createdon" {time},
    "createdby" {id},
    "modifiedon" {time},
    "modifiedby" {id},
    "versionnumber" {int},
    "description" {text}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "systemuser" (
    "systemuserid" {id} PRIMARY KEY NOT NULL,
    "domainname" {text},
    "firstname" {text},
    "lastname" {text},
    "fullname" {text},
    "internalemailaddress" {text},
    "businessunitid" {id},
    "isdisabled" {bool} DEFAULT {false},
    "defaultmailbox" {id},
    "emailrouteraccessapproval" {int} DEFAULT 0,
    "incomingemaildeliverymethod" {int} DEFAULT 0,
    "outgoingemaildeliverymethod" {int} DEFAULT 0,
    "accessmode" {int} DEFAULT 0,
    "pr_isadministrator" {bool} DEFAULT {false},
    "queueid" {id},
    "azureactivedirectoryobjectid" {id},
    "middlename" {text},
    "jobtitle" {text},
    "title" {text},
    "personalemailaddress" {text},
    "mobilealertemail" {text},
    "mobilephone" {text},
    "address1_telephone1" {text},
    "parentsystemuserid" {id},
    "isemailaddressapprovedbyo365admin" {bool} DEFAULT {false},
    "isintegrationuser" {bool} DEFAULT {false},
    "islicensed" {bool} DEFAULT {false},
    "setupuser" {bool} DEFAULT {false},
    "applicationid" {id},
    "importsequencenumber" {int},
    "preferredaddresscode" {int},
    "preferredemailcode" {int},
    "preferredphonecode" {int},
    "caltype" {int} DEFAULT 0,
    "invitestatuscode" {int} DEFAULT 0,
    "address1_addresstypecode" {int},
    "address1_shippingmethodcode" {int},
    "address2_addresstypecode" {int},
    "address2_shippingmethodcode" {int},
    "calendarid" {id},
    "positionid" {id},
    "defaultfilterspopulated" {bool} DEFAULT {false},
    "createdon" {time},
    "createdby" {id},
    "modifiedon" {time},
    "modifiedby" {id},
    "versionnumber" {int}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "usersettings" (
    "systemuserid" {id} PRIMARY KEY NOT NULL,
    "incomingemailfilteringmethod" {int} DEFAULT 1,
    "issendasallowed" {bool} DEFAULT {false},
    "autocreatecontactonpromote" {int} DEFAULT 0,
    "businessunitid" {id},
    "paginglimit" {int} DEFAULT 50,
    "timezonebias" {int},
    "timezonecode" {int},
    "localeid" {int},
    "uilanguageid" {int},
    "nexttrackingnumber" {int},
    "trackingtokenid" {int},
    "addressbooksyncinterval" {int},
    "offlinesyncinterval" {int},
    "outlooksyncinterval" {int},
    "ignoreunsolicitedemail" {bool} DEFAULT {false},
    "synccontactcompany" {bool} DEFAULT {true},
    "isautodatacaptureenabled" {bool} DEFAULT {false},
    "usecrmformforappointment" {bool} DEFAULT {false},
    "usecrmformforcontact" {bool} DEFAULT {false},
    "usecrmformforemail" {bool} DEFAULT {false},
    "usecrmformfortask" {bool} DEFAULT {false},
    "lastalertsviewedtime" {time},
    "workdaystarttime" {text},
    "workdaystoptime" {text},
    "emailusername" {text},
    "emailpassword" {text},
    "allowemailcredentials" {bool} DEFAULT {false},
    "isresourcebookingexchangesyncenabled" {bool} DEFAULT {false},
    "createdon" {time},
    "createdby" {id},
    "modifiedon" {time},
    "modifiedby" {id},
    "versionnumber" {int}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "team" (
    "teamid" {id} PRIMARY KEY NOT NULL,
    "name" {text},
    "businessunitid" {id},
    "administratorid" {id},
    "emailaddress" {text},
    "teamtype" {int} DEFAULT 0,
    "isdefault" {bool} DEFAULT {false},
    "queueid" {id},
    "createdon" {time},
    "createdby" {id},
    "modifiedon" {time},
    "modifiedby" {id},
    "versionnumber" {int},
    "description" {text}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "emailserverprofile" (
    "emailserverprofileid" {id} PRIMARY KEY NOT NULL,
    "name" {text},
    "ownerid" {id},
    "ownerid__table" {text},
    "servertype" {int} DEFAULT 4,
    "useautodiscover" {bool} DEFAULT {false},
    "incomingserverlocation" {text},
    "outgoingserverlocation" {text},
    "incomingportnumber" {int},
    "outgoingportnumber" {int},
    "incomingusessl" {bool} DEFAULT {true},
    "outgoingusessl" {bool} DEFAULT {true},
    "incomingauthenticationprotocol" {int} DEFAULT 0,
    "outgoingauthenticationprotocol" {int} DEFAULT 0,
    "incomingcredentialretrieval" {int} DEFAULT 0,
    "outgoingcredentialretrieval" {int} DEFAULT 0,
    "incomingusername" {text},
    "outgoingusername" {text},
    "isincomingpasswordset" {bool} DEFAULT {false},
    "isoutgoingpasswordset" {bool} DEFAULT {false},
    "incominguseimpersonation" {bool} DEFAULT {false},
    "outgoinguseimpersonation" {bool} DEFAULT {false},
    "outgoingautograntdelegateaccess" {bool} DEFAULT {false},
    "usesamesettingsforoutgoingconnections" {bool} DEFAULT {true},
    "processemailsreceivedafter" {time},
    "minpollingintervalinminutes" {int} DEFAULT 0,
    "maxconcurrentconnections" {int} DEFAULT 10,
    "timeoutmailboxconnection" {bool} DEFAULT {true},
    "timeoutmailboxconnectionafteramount" {int} DEFAULT 30000,
    "pr_commandtimeout" {int} DEFAULT 120000,
    "moveundeliveredemails" {bool} DEFAULT {false},
    "sendemailalert" {bool} DEFAULT {false},
    "owneremailaddress" {text},
    "statecode" {int} DEFAULT 0,
    "statuscode" {int} DEFAULT 1,
    "isoauthclientsecretset" {bool} DEFAULT {false},
    "oauthclientid" {text},
    "aadresourceid" {text},
    "emailservertypename" {text},
    "defaultserverlocation" {text},
    "encodingcodepage" {text},
    "exchangeversion" {int},
    "usedefaulttenantid" {bool} DEFAULT {true},
    "exchangeonlinetenantid" {text},
    "lasttestexecutionstatus" {int},
    "lastteststarttime" {time},
    "lasttestvalidationstatus" {int},
    "lastauthorizationstatus" {int},
    "lasttesttotalexecutiontime" {int},
    "keyvaultreferenceid" {id},
    "managedidentityid" {id},
    "incomingpartnerapplication" {id},
    "outgoingpartnerapplication" {id},
    "createdon" {time},
    "createdby" {id},
    "modifiedon" {time},
    "modifiedby" {id},
    "versionnumber" {int},
    "description" {text},
    "lasttestrequest" {text},
    "lasttestresponse" {text},
    "lastcrmmessage" {text}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "queue" (
    "queueid" {id} PRIMARY KEY NOT NULL,
    "name" {text},
    "ownerid" {id},
    "ownerid__table" {text},
    "emailaddress" {text},
    "incomingemailfilteringmethod" {int} DEFAULT 0,
    "incomingemaildeliverymethod" {int} DEFAULT 0,
    "outgoingemaildeliverymethod" {int} DEFAULT 0,
    "emailrouteraccessapproval" {int} DEFAULT 0,
    "defaultmailbox" {id},
    "queueviewtype" {int} DEFAULT 0,
    "statecode" {int} DEFAULT 0,
    "statuscode" {int} DEFAULT 1,
    "primaryuserid" {id},
    "businessunitid" {id},
    "ignoreunsolicitedemail" {bool} DEFAULT {false},
    "isemailaddressapprovedbyo365admin" {bool} DEFAULT {false},
    "isfaxqueue" {bool} DEFAULT {false},
    "numberofitems" {int},
    "numberofmembers" {int},
    "emailusername" {text},
    "emailpassword" {text},
    "allowemailcredentials" {bool} DEFAULT {false},
    "queuetypecode" {int} DEFAULT 1,
    "createdon" {time},
    "createdby" {id},
    "modifiedon" {time},
    "modifiedby" {id},
    "versionnumber" {int},
    "description" {text}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "mailbox" (
    "mailboxid" {id} PRIMARY KEY NOT NULL,
    "name" {text},
    "ownerid" {id},
    "ownerid__table" {text},
    "emailaddress" {text},
    "regardingobjectid" {id},
    "regardingobjectid__table" {text},
    "isforwardmailbox" {bool} DEFAULT {true},
    "processanddeleteemails" {bool} DEFAULT {false},
    "emailserverprofile" {id},
    "incomingemaildeliverymethod" {int} DEFAULT 0,
    "outgoingemaildeliverymethod" {int} DEFAULT 0,
    "actdeliverymethod" {int} DEFAULT 2,
    "incomingemailstatus" {int} DEFAULT 0,
    "outgoingemailstatus" {int} DEFAULT 0,
    "actstatus" {int} DEFAULT 0,
    "mailboxstatus" {int} DEFAULT 0,
    "enabledforincomingemail" {bool} DEFAULT {false},
    "enabledforoutgoingemail" {bool} DEFAULT {false},
    "enabledforact" {bool} DEFAULT {false},
    "emailrouteraccessapproval" {int} DEFAULT 0,
    "emailaddressapprovedby" {id},
    "emailaddressapprovedon" {time},
    "allowemailconnectortousecredentials" {bool} DEFAULT {false},
    "username" {text},
    "ispasswordset" {bool} DEFAULT {false},
    "isoauthaccesstokenset" {bool} DEFAULT {false},
    "testemailconfigurationscheduled" {bool} DEFAULT {false},
    "testemailconfigurationretrycount" {int} DEFAULT 0,
    "testmailboxaccesscompletedon" {time},
    "postponetestemailconfigurationuntil" {time},
    "testandenablelastattemptedby" {id},
    "testandenablelastattemptedon" {time},
    "processemailreceivedafter" {time},
    "postponemailboxprocessinguntil" {time},
    "receivingpostponeduntil" {time},
    "postponesendinguntil" {time},
    "noemailcount" {int} DEFAULT 0,
    "transientfailurecount" {int} DEFAULT 0,
    "itemsprocessedforlastsync" {int} DEFAULT 0,
    "itemsfailedforlastsync" {int} DEFAULT 0,
    "lastsyncstartedon" {time},
    "lastsuccessfulsynccompletedon" {time},
    "lastsyncerror" {text},
    "lastsyncerroroccurredon" {time},
    "lastsyncerrorcount" {int} DEFAULT 0,
    "hostid" {text},
    "statecode" {int} DEFAULT 0,
    "statuscode" {int} DEFAULT 1,
    "isoauthrefreshtokenset" {bool} DEFAULT {false},
    "oauthtokenexpireson" {time},
    "isemailaddressapprovedbyo365admin" {bool} DEFAULT {false},
    "orgmarkedasprimaryforexchangesync" {bool} DEFAULT {false},
    "isactsyncorgflagset" {bool} DEFAULT {false},
    "isserviceaccount" {bool} DEFAULT {false},
    "officeappsdeploymentscheduled" {bool} DEFAULT {false},
    "lasttagprocessedmaxitems" {bool} DEFAULT {false},
    "isexchangecontactsimportscheduled" {bool} DEFAULT {false},
    "verboseloggingenabled" {int} DEFAULT 0,
    "processingstatecode" {int} DEFAULT 0,
    "mailboxprocessingcontext" {int},
    "noactcount" {int} DEFAULT 0,
    "processedtimes" {int} DEFAULT 0,
    "averagetotalduration" {int} DEFAULT 0,
    "lastduration" {int} DEFAULT 0,
    "lastsyncerrorcode" {int},
    "lastsyncerrormachinename" {text},
    "forcedunlockcount" {int} DEFAULT 0,
    "lastmailboxforcedunlockoccurredon" {time},
    "nextscheduledactsyncinseconds" {int},
    "receivingpostponeduntilforact" {time},
    "processinglastattemptedon" {time},
    "lastautodiscoveredon" {time},
    "ewsurl" {text},
    "undeliverablefolder" {text},
    "lastmessageid" {text},
    "lasttaggedmessageid" {text},
    "tagemailsafter" {time},
    "lasttagcompletedon" {time},
    "acsoutgoingemailstatus" {int},
    "acsenabledforoutgoingemail" {bool} DEFAULT {false},
    "officeappsdeploymentstatus" {int} DEFAULT 0,
    "exchangecontactsimportstatus" {int} DEFAULT 0,
    "officeappsdeploymentcompleteon" {time},
    "postponeofficeappsdeploymentuntil" {time},
    "exchangecontactsimportcompletedon" {time},
    "lastincomingemailsrequestedfromemailserveron" {time},
    "acsmailfromcreated" {bool} DEFAULT {false},
    "createdon" {time},
    "createdby" {id},
    "modifiedon" {time},
    "modifiedby" {id},
    "versionnumber" {int},
    "pr_testlog" {text},
    "exchangesyncstatexml" {text},
    "folderhierarchy" {text},
    "officeappsdeploymenterror" {text}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "account" (
    "accountid" {id} PRIMARY KEY NOT NULL,
    "name" {text},
    "ownerid" {id},
    "ownerid__table" {text},
    "emailaddress1" {text},
    "emailaddress2" {text},
    "emailaddress3" {text},
    "donotemail" {bool} DEFAULT {false},
    "statecode" {int} DEFAULT 0,
    "statuscode" {int} DEFAULT 1,
    "accountnumber" {text},
    "donotbulkemail" {bool} DEFAULT {false},
    "followemail" {bool} DEFAULT {true},
    "parentaccountid" {id},
    "primarycontactid" {id},
    "accountcategorycode" {int},
    "preferredcontactmethodcode" {int} DEFAULT 1,
    "telephone1" {text},
    "websiteurl" {text},
    "msdyn_travelchargetype" {int},
    "createdon" {time},
    "createdby" {id},
    "modifiedon" {time},
    "modifiedby" {id},
    "versionnumber" {int},
    "description" {text}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "contact" (
    "contactid" {id} PRIMARY KEY NOT NULL,
    "firstname" {text},
    "middlename" {text},
    "lastname" {text},
    "fullname" {text},
    "ownerid" {id},
    "ownerid__table" {text},
    "parentcustomerid" {id},
    "parentcustomerid__table" {text},
    "emailaddress1" {text},
    "emailaddress2" {text},
    "emailaddress3" {text},
    "donotemail" {bool} DEFAULT {false},
    "statecode" {int} DEFAULT 0,
    "statuscode" {int} DEFAULT 1,
    "jobtitle" {text},
    "salutation" {text},
    "suffix" {text},
    "nickname" {text},
    "department" {text},
    "company" {text},
    "assistantname" {text},
    "managername" {text},
    "spousesname" {text},
    "governmentid" {text},
    "telephone1" {text},
    "telephone2" {text},
    "telephone3" {text},
    "mobilephone" {text},
    "fax" {text},
    "websiteurl" {text},
    "address1_line1" {text},
    "address1_city" {text},
    "address1_postalcode" {text},
    "address1_stateorprovince" {text},
    "address1_country" {text},
    "birthdate" {time},
    "anniversary" {time},
    "donotbulkemail" {bool} DEFAULT {false},
    "donotphone" {bool} DEFAULT {false},
    "followemail" {bool} DEFAULT {true},
    "gendercode" {int},
    "familystatuscode" {int},
    "accountrolecode" {int},
    "preferredcontactmethodcode" {int} DEFAULT 1,
    "address1_addresstypecode" {int},
    "address1_freighttermscode" {int},
    "address1_shippingmethodcode" {int},
    "address2_addresstypecode" {int},
    "address2_freighttermscode" {int},
    "address2_shippingmethodcode" {int},
    "address3_addresstypecode" {int},
    "address3_freighttermscode" {int},
    "address3_shippingmethodcode" {int},
    "customersizecode" {int},
    "customertypecode" {int},
    "educationcode" {int},
    "haschildrencode" {int},
    "leadsourcecode" {int},
    "shippingmethodcode" {int},
    "territorycode" {int},
    "paymenttermscode" {int},
    "preferredappointmentdaycode" {int},
    "preferredappointmenttimecode" {int},
    "masterid" {id},
    "merged" {bool} DEFAULT {false},
    "subscriptionid" {id},
    "createdon" {time},
    "createdby" {id},
    "modifiedon" {time},
    "modifiedby" {id},
    "versionnumber" {int},
    "description" {text}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "lead" (
    "leadid" {id} PRIMARY KEY NOT NULL,
    "firstname" {text},
    "lastname" {text},
    "fullname" {text},
    "subject" {text},
    "ownerid" {id},
    "ownerid__table" {text},
    "emailaddress1" {text},
    "emailaddress2" {text},
    "emailaddress3" {text},
    "donotemail" {bool} DEFAULT {false},
    "statecode" {int} DEFAULT 0,
    "statuscode" {int} DEFAULT 1,
    "companyname" {text},
    "jobtitle" {text},
    "telephone1" {text},
    "mobilephone" {text},
    "websiteurl" {text},
    "msdyn_ordertype" {int},
    "createdon" {time},
    "createdby" {id},
    "modifiedon" {time},
    "modifiedby" {id},
    "versionnumber" {int},
    "description" {text}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "email" (
    "activityid" {id} PRIMARY KEY NOT NULL,
    "subject" {text},
    "ownerid" {id},
    "ownerid__table" {text},
    "regardingobjectid" {id},
    "regardingobjectid__table" {text},
    "directioncode" {bool} DEFAULT {true},
    "sender" {text},
    "torecipients" {text},
    "submittedby" {text},
    "emailsender" {id},
    "emailsender__table" {text},
    "messageid" {text},
    "messageiddupcheck" {id},
    "pr_fingerprint" {bytes},
    "inreplyto" {text},
    "conversationindex" {text},
    "baseconversationindexhash" {int},
    "trackingtoken" {text},
    "correlationmethod" {int} DEFAULT 0,
    "correlatedactivityid" {id},
    "parentactivityid" {id},
    "conversationtrackingid" {id},
    "acceptingentityid" {id},
    "acceptingentityid__table" {text},
    "receivingmailboxid" {id},
    "sendermailboxid" {id},
    "notifications" {int} DEFAULT 0,
    "attachmentcount" {int} DEFAULT 0,
    "prioritycode" {int} DEFAULT 1,
    "senton" {time},
    "pr_receivedon" {time},
    "actualend" {time},
    "deliveryattempts" {int} DEFAULT 0,
    "postponeemailprocessinguntil" {time},
    "delayedemailsendtime" {time},
    "pr_failurereason" {text},
    "readreceiptrequested" {bool} DEFAULT {false},
    "deliveryreceiptrequested" {bool} DEFAULT {false},
    "isduplicatesenderunresolved" {bool} DEFAULT {false},
    "pr_blob" {bytes},
    "pr_rawplace" {text},
    "statecode" {int} DEFAULT 0,
    "statuscode" {int} DEFAULT 1,
    "activitytypecode" {text},
    "sendersaccount" {id},
    "category" {text},
    "subcategory" {text},
    "mimetype" {text},
    "deliveryprioritycode" {int} DEFAULT 1,
    "actualstart" {time},
    "scheduledstart" {time},
    "scheduledend" {time},
    "sortdate" {time},
    "actualdurationminutes" {int},
    "emailtrackingid" {id},
    "compressed" {bool} DEFAULT {false},
    "isworkflowcreated" {bool} DEFAULT {false},
    "isbilled" {bool} DEFAULT {false},
    "isregularactivity" {bool} DEFAULT {true},
    "followemailuserpreference" {bool} DEFAULT {false},
    "correlatedsubjectchanged" {bool} DEFAULT {false},
    "importsequencenumber" {int},
    "overriddencreatedon" {time},
    "templateid" {id},
    "acceptingentitytypecode" {text},
    "scheduleddurationminutes" {int},
    "isunsafe" {int},
    "isemailfollowed" {bool} DEFAULT {false},
    "isemailreminderset" {bool} DEFAULT {false},
    "emailreminderstatus" {int} DEFAULT 0,
    "emailremindertype" {int},
    "emailreminderexpirytime" {time},
    "emailremindertext" {text},
    "reminderactioncardid" {id},
    "attachmentopencount" {int} DEFAULT 0,
    "linksclickedcount" {int} DEFAULT 0,
    "opencount" {int} DEFAULT 0,
    "replycount" {int} DEFAULT 0,
    "lastopenedtime" {time},
    "lastonholdtime" {time},
    "onholdtime" {int},
    "processid" {id},
    "stageid" {id},
    "createdon" {time},
    "createdby" {id},
    "modifiedon" {time},
    "modifiedby" {id},
    "versionnumber" {int},
    "description" {text},
    "pr_references" {text},
    "internetmessageheaders" {text},
    "activityadditionalparams" {text}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "activityparty" (
    "activitypartyid" {id} PRIMARY KEY NOT NULL,
    "activityid" {id},
    "partyid" {id},
    "partyid__table" {text},
    "addressused" {text},
    "partyidname" {text},
    "unresolvedpartyname" {text},
    "participationtypemask" {int} DEFAULT 1,
    "addressusedemailcolumnnumber" {int},
    "pr_number" {int} DEFAULT 0,
    "donotemail" {bool} DEFAULT {false},
    "ispartydeleted" {bool} DEFAULT {false},
    "instancetypecode" {int} DEFAULT 0,
    "exchangeentryid" {text},
    "donotphone" {bool} DEFAULT {false},
    "donotfax" {bool} DEFAULT {false},
    "donotpostalmail" {bool} DEFAULT {false},
    "scheduledstart" {time},
    "scheduledend" {time},
    "resourcespecid" {id},
    "createdon" {time},
    "createdby" {id},
    "modifiedon" {time},
    "modifiedby" {id},
    "versionnumber" {int}
[sqlite]) WITHOUT ROWID, STRICT;
[postgres]);

CREATE TABLE "activitymimeattachment" (
    "activitymimeattachmentid" {id} PRIMARY KEY NOT NULL,
    "objectid" {id},
    "objecttypecode" {text},
    "filename" {text},
    "mimetype" {text},
    "attachmentcontentid" {text},
    "pr_isinline" {bool} DEFAULT {false},
    "attachmentnumber" {int} DEFAULT 0,
    "filesize" {int} DEFAULT 0,
    "pr_blob" {bytes},
    "pr_place" {text},
    "subject" {text},
    "createdon" {time},
    "createdby" {id},
    "modifiedon" {time},
    "modifiedby" {id},
    "versionnumber" {int}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "queueitem" (
    "queueitemid" {id} PRIMARY KEY NOT NULL,
    "queueid" {id},
    "objectid" {id},
    "objecttypecode" {int},
    "title" {text},
    "sender" {text},
    "torecipients" {text},
    "enteredon" {time},
    "workerid" {id},
    "workerid__table" {text},
    "workeridmodifiedon" {time},
    "priority" {int},
    "statecode" {int} DEFAULT 0,
    "statuscode" {int} DEFAULT 1,
    "createdon" {time},
    "createdby" {id},
    "modifiedon" {time},
    "modifiedby" {id},
    "versionnumber" {int}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "tracelog" (
    "tracelogid" {id} PRIMARY KEY NOT NULL,
    "level" {int} DEFAULT 1,
    "regardingobjectid" {id},
    "regardingobjectid__table" {text},
    "regardingobjectownerid" {id},
    "regardingobjectownerid__table" {text},
    "tracecode" {int},
    "errortypedisplay" {text},
    "machinename" {text},
    "isunique" {bool} DEFAULT {false},
    "canbedeleted" {bool} DEFAULT {true},
    "pr_occurrences" {int} DEFAULT 1,
    "traceparameterhash" {int},
    "collationlevel" {int},
    "parenttracelogid" {id},
    "tracestatus" {bool} DEFAULT {false},
    "createdon" {time},
    "createdby" {id},
    "modifiedon" {time},
    "modifiedby" {id},
    "versionnumber" {int},
    "text" {text},
    "errordetails" {text},
    "traceactionxml" {text},
    "tracedetailxml" {text},
    "traceparameterxml" {text}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "pr_ledgerentry" (
    "pr_ledgerentryid" {id} PRIMARY KEY NOT NULL,
    "pr_mailboxid" {id},
    "pr_folder" {text},
    "pr_position" {text},
    "pr_messageid" {text},
    "pr_fingerprint" {text},
    "pr_subject" {text},
    "pr_from" {text},
    "pr_receivedon" {time},
    "pr_seenon" {time},
    "pr_disposition" {int} DEFAULT 0,
    "pr_activityid" {id},
    "pr_attempts" {int} DEFAULT 0,
    "pr_size" {int} DEFAULT 0,
    "pr_blob" {bytes},
    "pr_headerdigest" {bytes},
    "createdon" {time},
    "createdby" {id},
    "modifiedon" {time},
    "modifiedby" {id},
    "versionnumber" {int},
    "pr_reason" {text}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "pr_workitem" (
    "pr_workitemid" {id} PRIMARY KEY NOT NULL,
    "pr_mailboxid" {id},
    "pr_workload" {int} DEFAULT 0,
    "pr_nextrun" {time},
    "pr_leaseuntil" {time},
    "pr_leaseholder" {text},
    "pr_fence" {int} DEFAULT 0,
    "pr_failures" {int} DEFAULT 0
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "pr_folder" (
    "pr_folderid" {id} PRIMARY KEY NOT NULL,
    "pr_mailboxid" {id},
    "pr_name" {text},
    "pr_uidvalidity" {int} DEFAULT 0,
    "pr_nextuid" {int} DEFAULT 0,
    "pr_backlogend" {int} DEFAULT 0,
    "pr_since" {time},
    "pr_account" {text},
    "pr_stumbledat" {text},
    "pr_stumbles" {int} DEFAULT 0,
    "pr_highestmodseq" {int}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "pr_settlement" (
    "pr_settlementid" {id} PRIMARY KEY NOT NULL,
    "pr_mailboxid" {id},
    "pr_folder" {text},
    "pr_position" {text},
    "pr_action" {int} DEFAULT 0,
    "pr_size" {int} DEFAULT 0,
    "pr_headerdigest" {bytes},
    "pr_state" {int} DEFAULT 0,
    "pr_attempts" {int} DEFAULT 0
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "pr_delivery" (
    "pr_deliveryid" {id} PRIMARY KEY NOT NULL,
    "pr_activityid" {id},
    "pr_address" {text},
    "pr_state" {int} DEFAULT 0,
    "pr_reply" {text}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "pr_server" (
    "pr_serverid" {id} PRIMARY KEY NOT NULL,
    "pr_name" {text},
    "pr_failures" {int} DEFAULT 0,
    "pr_openuntil" {time},
    "pr_lasterror" {text}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "pr_apitoken" (
    "pr_apitokenid" {id} PRIMARY KEY NOT NULL,
    "pr_name" {text},
    "pr_systemuserid" {id},
    "pr_hash" {bytes},
    "pr_createdon" {time},
    "pr_expireson" {time},
    "pr_lastusedon" {time}
[sqlite]) STRICT;
[postgres]);

CREATE TABLE "pr_audit" (
    "pr_auditid" {id} PRIMARY KEY NOT NULL,
    "pr_at" {time},
    "pr_systemuserid" {id},
    "pr_action" {text},
    "pr_table" {text},
    "pr_row" {id},
    "pr_detail" {text}
[sqlite]) STRICT;
[postgres]);

-- Unique keys. `store::commit` explains a conflict by their names.

CREATE UNIQUE INDEX ux_email_messageiddupcheck ON email (messageiddupcheck) WHERE messageiddupcheck IS NOT NULL;
CREATE UNIQUE INDEX ux_mailbox_regardingobjectid ON mailbox (regardingobjectid) WHERE regardingobjectid IS NOT NULL;
CREATE UNIQUE INDEX ux_systemuser_domainname ON systemuser (lower(domainname)) WHERE domainname IS NOT NULL;
CREATE UNIQUE INDEX ux_pr_ledgerentry_position ON pr_ledgerentry (pr_mailboxid, pr_folder, pr_position);
CREATE UNIQUE INDEX ux_pr_workitem_workload ON pr_workitem (pr_mailboxid, pr_workload);
CREATE UNIQUE INDEX ux_pr_folder_name ON pr_folder (pr_mailboxid, pr_name);
CREATE UNIQUE INDEX ux_pr_apitoken_hash ON pr_apitoken (pr_hash);

-- Look-ups. Every index costs each new email some time: none without a query.

CREATE INDEX ix_email_messageid ON email (messageid) WHERE messageid IS NOT NULL;
CREATE INDEX ix_email_fingerprint ON email (pr_fingerprint) WHERE pr_fingerprint IS NOT NULL;
CREATE INDEX ix_email_trackingtoken ON email (trackingtoken) WHERE trackingtoken IS NOT NULL;
CREATE INDEX ix_email_conversation ON email (baseconversationindexhash) WHERE baseconversationindexhash IS NOT NULL;
CREATE INDEX ix_email_regardingobjectid ON email (regardingobjectid) WHERE regardingobjectid IS NOT NULL;
CREATE INDEX ix_email_statuscode ON email (statuscode, sendermailboxid);
CREATE INDEX ix_activityparty_activityid ON activityparty (activityid);
CREATE INDEX ix_activityparty_partyid ON activityparty (partyid) WHERE partyid IS NOT NULL;
CREATE INDEX ix_activitymimeattachment_objectid ON activitymimeattachment (objectid);
CREATE INDEX ix_queueitem_queueid ON queueitem (queueid);
CREATE INDEX ix_queueitem_objectid ON queueitem (objectid);
CREATE INDEX ix_contact_parentcustomerid ON contact (parentcustomerid) WHERE parentcustomerid IS NOT NULL;
CREATE INDEX ix_tracelog_regarding ON tracelog (regardingobjectid, traceparameterhash);
CREATE INDEX ix_pr_ledgerentry_fingerprint ON pr_ledgerentry (pr_fingerprint) WHERE pr_fingerprint IS NOT NULL;
CREATE INDEX ix_pr_ledgerentry_messageid ON pr_ledgerentry (pr_messageid) WHERE pr_messageid IS NOT NULL;
CREATE INDEX ix_pr_ledgerentry_activityid ON pr_ledgerentry (pr_activityid) WHERE pr_activityid IS NOT NULL;
CREATE INDEX ix_pr_ledgerentry_blob ON pr_ledgerentry (pr_blob) WHERE pr_blob IS NOT NULL;
CREATE INDEX ix_pr_ledgerentry_disposition ON pr_ledgerentry (pr_mailboxid, pr_disposition);
CREATE INDEX ix_pr_workitem_nextrun ON pr_workitem (pr_workload, pr_nextrun);
CREATE INDEX ix_pr_settlement_state ON pr_settlement (pr_mailboxid, pr_state);
CREATE INDEX ix_pr_delivery_activityid ON pr_delivery (pr_activityid);
CREATE INDEX ix_pr_server_name ON pr_server (pr_name);
CREATE INDEX ix_pr_audit_row ON pr_audit (pr_row);
