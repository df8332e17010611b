//! The operations on shares, roles and teams, with their parameters and results.

use crate::api::operations::{Binding, Complex, Kind, Operation, Parameter, Type, optional, required};

const PRINCIPAL_ACCESS: Complex = Complex {
    name: "PrincipalAccess",
    open: false,
    properties: &[required("Principal", Type::Row("principal")), required("AccessMask", Type::Text)],
};
const ROLE_PRIVILEGE: Complex = Complex {
    name: "RolePrivilege",
    open: false,
    properties: &[
        required("Depth", Type::Text),
        required("PrivilegeId", Type::Guid),
        optional("BusinessUnitId", Type::Guid),
        optional("PrivilegeName", Type::Text),
    ],
};

const TARGET: &[Parameter] = &[required("Target", Type::Row("crmbaseentity"))];
const SHARED: &[Parameter] =
    &[required("Target", Type::Row("crmbaseentity")), required("PrincipalAccess", Type::Complex(&PRINCIPAL_ACCESS))];
const REVOKED: &[Parameter] =
    &[required("Target", Type::Row("crmbaseentity")), required("Revokee", Type::Row("principal"))];
const ROLE: &[Parameter] = &[required("RoleId", Type::Guid)];
const PRIVILEGES: &[Parameter] = &[required("Privileges", Type::Many(&Type::Complex(&ROLE_PRIVILEGE)))];
const PRIVILEGE: &[Parameter] = &[required("Privilege", Type::Row("privilege"))];
const MEMBERS: &[Parameter] = &[required("Members", Type::Many(&Type::Row("systemuser")))];
const MOVED: &[Parameter] = &[
    required("BusinessUnit", Type::Row("businessunit")),
    required("ReassignPrincipal", Type::Row("principal")),
    optional("DoNotMoveAllRecords", Type::Bool),
];

const RIGHTS: Complex = Complex {
    name: "RetrievePrincipalAccessResponse",
    open: false,
    properties: &[required("AccessRights", Type::Text)],
};
const PRINCIPALS: Complex = Complex {
    name: "RetrieveSharedPrincipalsAndAccessResponse",
    open: false,
    properties: &[required("PrincipalAccesses", Type::Many(&Type::Complex(&PRINCIPAL_ACCESS)))],
};
const OF_USER: Complex = Complex {
    name: "RetrieveUserPrivilegesResponse",
    open: false,
    properties: &[required("RolePrivileges", Type::Many(&Type::Complex(&ROLE_PRIVILEGE)))],
};
const OF_ROLE: Complex = Complex {
    name: "RetrieveRolePrivilegesRoleResponse",
    open: false,
    properties: &[required("RolePrivileges", Type::Many(&Type::Complex(&ROLE_PRIVILEGE)))],
};

pub(crate) static ALL: &[Operation] = &[
    Operation {
        name: "GrantAccess",
        kind: Kind::Action,
        binding: Binding::Unbound,
        parameters: SHARED,
        result: None,
        run: |invocation| Box::pin(super::grant_access(invocation)),
    },
    Operation {
        name: "ModifyAccess",
        kind: Kind::Action,
        binding: Binding::Unbound,
        parameters: SHARED,
        result: None,
        run: |invocation| Box::pin(super::modify_access(invocation)),
    },
    Operation {
        name: "RevokeAccess",
        kind: Kind::Action,
        binding: Binding::Unbound,
        parameters: REVOKED,
        result: None,
        run: |invocation| Box::pin(super::revoke_access(invocation)),
    },
    Operation {
        name: "RetrieveSharedPrincipalsAndAccess",
        kind: Kind::Function,
        binding: Binding::Unbound,
        parameters: TARGET,
        result: Some(Type::Complex(&PRINCIPALS)),
        run: |invocation| Box::pin(super::shared_with(invocation)),
    },
    Operation {
        name: "RetrievePrincipalAccess",
        kind: Kind::Function,
        binding: Binding::Row("systemuser"),
        parameters: TARGET,
        result: Some(Type::Complex(&RIGHTS)),
        run: |invocation| Box::pin(super::access_of(invocation)),
    },
    Operation {
        name: "RetrievePrincipalAccess",
        kind: Kind::Function,
        binding: Binding::Row("team"),
        parameters: TARGET,
        result: Some(Type::Complex(&RIGHTS)),
        run: |invocation| Box::pin(super::access_of(invocation)),
    },
    Operation {
        name: "RetrieveUserPrivileges",
        kind: Kind::Function,
        binding: Binding::Row("systemuser"),
        parameters: &[],
        result: Some(Type::Complex(&OF_USER)),
        run: |invocation| Box::pin(super::privileges_of_user(invocation)),
    },
    Operation {
        name: "RetrieveRolePrivilegesRole",
        kind: Kind::Function,
        binding: Binding::Unbound,
        parameters: ROLE,
        result: Some(Type::Complex(&OF_ROLE)),
        run: |invocation| Box::pin(super::privileges_of_role(invocation)),
    },
    Operation {
        name: "AddPrivilegesRole",
        kind: Kind::Action,
        binding: Binding::Row("role"),
        parameters: PRIVILEGES,
        result: None,
        run: |invocation| Box::pin(super::add_privileges(invocation)),
    },
    Operation {
        name: "ReplacePrivilegesRole",
        kind: Kind::Action,
        binding: Binding::Row("role"),
        parameters: PRIVILEGES,
        result: None,
        run: |invocation| Box::pin(super::replace_privileges(invocation)),
    },
    Operation {
        name: "RemovePrivilegeRole",
        kind: Kind::Action,
        binding: Binding::Row("role"),
        parameters: PRIVILEGE,
        result: None,
        run: |invocation| Box::pin(super::remove_privilege(invocation)),
    },
    Operation {
        name: "SetBusinessSystemUser",
        kind: Kind::Action,
        binding: Binding::Row("systemuser"),
        parameters: MOVED,
        result: None,
        run: |invocation| Box::pin(super::move_user(invocation)),
    },
    Operation {
        name: "AddMembersTeam",
        kind: Kind::Action,
        binding: Binding::Row("team"),
        parameters: MEMBERS,
        result: None,
        run: |invocation| Box::pin(super::add_members(invocation)),
    },
    Operation {
        name: "RemoveMembersTeam",
        kind: Kind::Action,
        binding: Binding::Row("team"),
        parameters: MEMBERS,
        result: None,
        run: |invocation| Box::pin(super::remove_members(invocation)),
    },
];
