// What a customer's program does with npm's dynamics-web-api, from setting up
// a mailbox to following changes. `world.json` (the first argument) says where
// everything is. Every step is tried, and all that went wrong is told.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { DynamicsWebApi } from "dynamics-web-api";

const world = JSON.parse(readFileSync(process.argv[2], "utf8"));
const client = (token) =>
    new DynamicsWebApi({ serverUrl: world.url, dataApi: { version: "9.2" }, onTokenRefresh: async () => token });
const api = client(world.token);
const SERVER_SIDE = 2;

async function step(name, work) {
    try {
        await work();
        console.log(`ok ${name}`);
    } catch (error) {
        console.log(`FAILED ${name}: ${error.code ?? ""} ${error.message}\n${error.stack}`);
        process.exitCode = 1;
    }
}

async function waitFor(what, ask, seconds = 90) {
    for (const end = Date.now() + seconds * 1000; Date.now() < end; await new Promise((r) => setTimeout(r, 200))) {
        const found = await ask();
        if (found) return found;
    }
    throw new Error(`waited ${seconds} s in vain for ${what}`);
}

async function rejected(promise, status, code) {
    const error = await promise.then(() => assert.fail("it was accepted"), (e) => e);
    assert.equal(error.status, status, error.message);
    assert.equal(error.code?.toLowerCase(), code.toLowerCase(), error.message);
    return error;
}

const mailboxOf = async (owner) =>
    (await api.retrieveMultiple({ collection: "mailboxes", filter: `_regardingobjectid_value eq ${owner}` })).value[0];

// Approves, then tests: there is no action for that, clients change the mailbox.
async function enable(mailbox, profile, address, more = {}) {
    await api.update({
        collection: "mailboxes",
        key: mailbox,
        data: {
            "emailserverprofile@odata.bind": `/emailserverprofiles(${profile})`,
            allowemailconnectortousecredentials: true,
            username: address,
            password: world.accounts[address],
            incomingemaildeliverymethod: SERVER_SIDE,
            outgoingemaildeliverymethod: SERVER_SIDE,
            ...more,
        },
    });
    await api.update({ collection: "mailboxes", key: mailbox, data: { emailrouteraccessapproval: 1 } });
    await api.update({ collection: "mailboxes", key: mailbox, data: { testemailconfigurationscheduled: true } });
    const tested = await waitFor(`the test of ${address}`, async () => {
        const row = await api.retrieve({ collection: "mailboxes", key: mailbox });
        return row.testemailconfigurationscheduled === false && row;
    });
    assert.equal(tested.incomingemailstatus, 1, tested.pr_testlog);
    return tested;
}

let me, profile, user, queue, sent;

await step("WhoAmI", async () => {
    me = await api.callFunction("WhoAmI");
    assert.match(me.UserId, /^[0-9a-f-]{36}$/);
    assert.match(me.OrganizationId, /^[0-9a-f-]{36}$/);
});

await step("RetrieveVersion", async () => {
    assert.match((await api.callFunction({ name: "RetrieveVersion" })).Version, /^9\.2\./);
});

await step("RetrieveCurrentOrganization", async () => {
    const answer = await api.callFunction({
        name: "RetrieveCurrentOrganization",
        parameters: { AccessType: "Microsoft.Dynamics.CRM.EndpointAccessType'Default'" },
    });
    assert.equal(answer.Detail.OrganizationId, me.OrganizationId);
});

await step("an email server profile", async () => {
    const created = await api.create({
        collection: "emailserverprofiles",
        returnRepresentation: true,
        data: {
            name: "Node's IMAP",
            servertype: 4,
            incomingserverlocation: "localhost",
            incomingportnumber: world.imap,
            outgoingserverlocation: "localhost",
            outgoingportnumber: world.smtp,
            incomingcredentialretrieval: 0,
            outgoingcredentialretrieval: 0,
        },
    });
    profile = created.emailserverprofileid;
    assert.equal(created.name, "Node's IMAP");
});

await step("a user, tested and enabled", async () => {
    user = await api.create({
        collection: "systemusers",
        data: {
            firstname: "Nora",
            lastname: "Node",
            internalemailaddress: "nora@company.test",
            domainname: "nora@company.test",
        },
    });
    assert.match(user, /^[0-9a-f-]{36}$/);
    const tested = await enable((await mailboxOf(user)).mailboxid, profile, "nora@company.test");
    assert.equal(tested.outgoingemailstatus, 1, tested.pr_testlog);
});

await step("a queue, tested and enabled", async () => {
    queue = await api.create({ collection: "queues", data: { name: "Node's queue", emailaddress: "node-queue@company.test" } });
    await enable((await mailboxOf(queue)).mailboxid, profile, "node-queue@company.test", { processanddeleteemails: true });
});

await step("a forward mailbox", async () => {
    const forward = await api.create({
        collection: "mailboxes",
        data: { name: "Node's forward mailbox", emailaddress: "node-forward@company.test", outgoingemaildeliverymethod: 0 },
    });
    await enable(forward, profile, "node-forward@company.test", { outgoingemaildeliverymethod: 0 });
    const row = await api.retrieve({
        collection: "mailboxes",
        key: forward,
        select: ["isforwardmailbox", "emailrouteraccessapproval", "_emailserverprofile_value"],
        includeAnnotations: "*",
    });
    assert.equal(row.isforwardmailbox, true);
    assert.equal(row.emailrouteraccessapproval_Formatted, "Approved");
    assert.equal(row._emailserverprofile_value_Formatted, "Node's IMAP");
    assert.equal(row._emailserverprofile_value_LogicalName, "emailserverprofile");
});

await step("an email is sent and arrives in the queue", async () => {
    sent = await api.create({
        collection: "emails",
        data: {
            subject: "From node",
            description: "<p>hello</p>",
            directioncode: true,
            email_activity_parties: [
                { "partyid_systemuser@odata.bind": `/systemusers(${user})`, participationtypemask: 1 },
                { "partyid_queue@odata.bind": `/queues(${queue})`, participationtypemask: 2 },
            ],
            email_activity_mime_attachment: [{ filename: "a.txt", mimetype: "text/plain", body: "aGVsbG8=" }],
        },
    });
    const answer = await api.callAction({
        collection: "emails",
        key: sent,
        actionName: "Microsoft.Dynamics.CRM.SendEmail",
        action: { IssueSend: true },
    });
    assert.match(answer.Subject, /^From node/);
    await waitFor("the email to be sent", async () => {
        const row = await api.retrieve({ collection: "emails", key: sent, select: ["statuscode", "pr_failurereason"] });
        assert.notEqual(row.statuscode, 8, row.pr_failurereason);
        return row.statuscode === 3;
    });
    const item = await waitFor("the queue's item", async () => {
        const items = await api.retrieveMultiple({
            collection: "queueitems",
            filter: `_queueid_value eq ${queue}`,
            select: ["title", "_objectid_value"],
        });
        return items.value.find((i) => i.title.startsWith("From node"));
    });
    const email = await api.retrieve({
        collection: "emails",
        key: item._objectid_value,
        select: ["subject", "directioncode", "sender"],
        expand: [
            { property: "email_activity_parties", select: ["addressused", "participationtypemask"] },
            { property: "email_activity_mime_attachment", select: ["filename"] },
        ],
    });
    assert.equal(email.directioncode, false);
    assert.equal(email.sender, "nora@company.test");
    assert.ok(email.email_activity_parties.length >= 2);
    assert.equal(email.email_activity_mime_attachment[0].filename, "a.txt");
});

await step("the queue's item is picked, released, routed and removed", async () => {
    const items = await api.retrieveMultiple({ collection: "queueitems", filter: `_queueid_value eq ${queue}` });
    const key = items.value[0].queueitemid;
    const on = (name, action) =>
        api.callAction({ collection: "queueitems", key, actionName: `Microsoft.Dynamics.CRM.${name}`, action });
    await on("PickFromQueue", { SystemUser: { systemuserid: user }, RemoveQueueItem: false });
    let row = await api.retrieve({ collection: "queueitems", key, select: ["_workerid_value"] });
    assert.equal(row._workerid_value, user);
    await on("ReleaseToQueue");
    row = await api.retrieve({ collection: "queueitems", key, select: ["_workerid_value"] });
    assert.equal(row._workerid_value, null);
    await api.callAction({
        actionName: "RouteTo",
        action: {
            Target: { "@odata.type": "Microsoft.Dynamics.CRM.systemuser", systemuserid: user },
            QueueItem: { queueitemid: key },
        },
    });
    row = await api.retrieve({ collection: "queueitems", key, select: ["_workerid_value"] });
    assert.equal(row._workerid_value, user);
    await on("RemoveFromQueue");
    await rejected(api.retrieve({ collection: "queueitems", key }), 404, "0x80040217");
});

await step("pages", async () => {
    const request = { collection: "emails", select: ["subject"], filter: "startswith(subject,'Seed ')", orderBy: ["subject"] };
    const all = await api.retrieveAll({ ...request, maxPageSize: 1000 });
    assert.equal(all.value.length, world.seeded);
    assert.equal(new Set(all.value.map((e) => e.activityid)).size, world.seeded);
    const first = await api.retrieveMultiple({ ...request, count: true });
    assert.equal(first.value.length, 5000);
    assert.ok(first.oDataNextLink);
    assert.equal(first.oDataCount, 5000);
});

await step("create, read, change, delete", async () => {
    const key = await api.create({ collection: "contacts", data: { firstname: "Ada", lastname: "Lovelace", emailaddress1: "ada@customers.test" } });
    assert.equal(await api.update({ collection: "contacts", key, data: { jobtitle: "Analyst" } }), true);
    const row = await api.retrieve({ collection: "contacts", key, select: ["fullname", "jobtitle"] });
    assert.equal(row.jobtitle, "Analyst");
    await api.updateSingleProperty({ collection: "contacts", key, fieldValuePair: { jobtitle: "Countess" } });
    // 412 is an answer for this library, not an error.
    assert.equal(await api.update({ collection: "contacts", key, data: { jobtitle: "x" }, ifmatch: row["@odata.etag"] }), false);
    assert.equal((await api.retrieve({ collection: "contacts", key, select: ["jobtitle"] })).jobtitle, "Countess");
    assert.equal(await api.count({ collection: "contacts", filter: "emailaddress1 eq 'ada@customers.test'" }), 1);
    await api.deleteRecord({ collection: "contacts", key });
    await rejected(api.retrieve({ collection: "contacts", key }), 404, "0x80040217");
});

await step("upsert", async () => {
    const key = "11111111-2222-4333-8444-555555555555";
    await api.upsert({ collection: "accounts", key, data: { name: "Upserted" } });
    await api.upsert({ collection: "accounts", key, data: { name: "Upserted twice" } });
    assert.equal((await api.retrieve({ collection: "accounts", key, select: ["name"] })).name, "Upserted twice");
    // Only create, only update: each leaves the other case alone.
    assert.equal(await api.upsert({ collection: "accounts", key, data: { name: "no" }, ifnonematch: "*" }), null);
    assert.equal(await api.upsert({ collection: "accounts", key: "11111111-2222-4333-8444-666666666666", data: { name: "no" }, ifmatch: "*" }), null);
    await api.deleteRecord({ collection: "accounts", key });
});

await step("a batch with a change set", async () => {
    api.startBatch();
    api.create({ collection: "accounts", data: { name: "Batched" }, contentId: "1" });
    api.create({ collection: "contacts", data: { lastname: "Batched", "parentcustomerid_account@odata.bind": "$1" } });
    api.retrieveMultiple({ collection: "accounts", filter: "name eq 'Batched'", select: ["name"] });
    const [account, contact, found] = await api.executeBatch();
    assert.equal(found.value[0].accountid, account);
    const row = await api.retrieve({ collection: "contacts", key: contact, select: ["_parentcustomerid_value"] });
    assert.equal(row._parentcustomerid_value, account);
    api.startBatch();
    api.create({ collection: "accounts", data: { name: "Half" } });
    api.create({ collection: "accounts", data: { nosuch: 1 } });
    await api.executeBatch().then(() => assert.fail("it was accepted"), () => {});
    assert.equal(await api.count({ collection: "accounts", filter: "name eq 'Half'" }), 0, "a change set is atomic");
});

await step("a URL that is too long goes as a batch", async () => {
    const names = Array.from({ length: 200 }, (_, n) => `name eq 'nobody ${n}'`).join(" or ");
    assert.equal((await api.retrieveMultiple({ collection: "accounts", filter: names })).value.length, 0);
});

await step("links", async () => {
    const account = await api.create({ collection: "accounts", data: { name: "Linked" } });
    const contact = await api.create({ collection: "contacts", data: { lastname: "Linked" } });
    const link = { collection: "contacts", primaryKey: contact, navigationProperty: "parentcustomerid_account" };
    await api.associateSingleValued({ ...link, relatedCollection: "accounts", relatedKey: account });
    const read = () => api.retrieve({ collection: "contacts", key: contact, select: ["_parentcustomerid_value"] });
    assert.equal((await read())._parentcustomerid_value, account);
    await api.disassociateSingleValued(link);
    assert.equal((await read())._parentcustomerid_value, null);
});

await step("changes are followed", async () => {
    const request = { collection: "accounts", select: ["name"] };
    let page = await api.retrieveMultiple({ ...request, trackChanges: true });
    assert.ok(page.oDataDeltaLink, "no delta link");
    const key = await api.create({ collection: "accounts", data: { name: "New" } });
    page = await api.retrieveMultiple(request, page.oDataDeltaLink);
    assert.deepEqual(page.value.map((row) => row.name), ["New"]);
    await api.deleteRecord({ collection: "accounts", key });
    page = await api.retrieveMultiple(request, page.oDataDeltaLink);
    assert.deepEqual(page.value.map((row) => [row.id, row.reason]), [[key, "deleted"]]);
});

await step("metadata", async () => {
    const definitions = await api.retrieveEntities({ select: ["LogicalName", "EntitySetName"] });
    assert.ok(definitions.value.some((d) => d.LogicalName === "mailbox" && d.EntitySetName === "mailboxes"));
    const attributes = await api.retrieveAttributes({ entityKey: "LogicalName='mailbox'", select: ["LogicalName"] });
    assert.ok(attributes.value.some((a) => a.LogicalName === "emailaddress"));
    assert.match(await api.retrieveCsdlMetadata(), /DeliverIncomingEmail/);
    const byName = new DynamicsWebApi({
        serverUrl: world.url,
        dataApi: { version: "9.2" },
        onTokenRefresh: async () => world.token,
        useEntityNames: true,
    });
    assert.equal((await byName.retrieveMultiple({ collection: "mailbox", select: ["name"] })).value.length > 0, true);
});

await step("errors", async () => {
    await rejected(api.create({ collection: "contacts", data: { nosuch: 1, lastname: "x" } }), 400, "0x80048d19");
    await rejected(api.create({ collection: "mailboxes", data: { name: "without an address" } }), 400, "0x8005E211");
    await rejected(client(world.limited).create({ collection: "emailserverprofiles", data: { name: "not mine" } }), 403, "0x80040220");
    await rejected(client("wrong").callFunction("WhoAmI"), 401, "0x80044302");
    await rejected(api.callFunction({ name: "NoSuchFunction" }), 404, "0x80060888");
});
