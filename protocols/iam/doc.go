// Package iam speaks the part of AWS's Identity and Access Management, version 2010-05-08, that programs use to
// make users, groups, roles, policies and access keys: the query protocol, as every SDK, the AWS command line and
// Terraform speak it.
//
// What it manages is core's, and shared with RAM (package ram), the JSON API and the command line: a user that is
// made here can be given policies of RAM there. Only AWS's policies and roles are seen here.
//
// IAM has no region. Names are those of the account of the key that signed the request.
//
// Who may call it: while policies are not enforced, an account's own key and users with the access of admin change
// things and every key of the account looks at them; else policies decide, as in AWS.
//
// # Decisions
//
// 2026-11-21: users, groups and roles have most of their actions in common, and so do the handlers here: one
// function does AttachUserPolicy, AttachGroupPolicy and AttachRolePolicy, and the table says for which it is.
//
// 2026-11-21: only the actions about who may do what are in the table of actions. Of passwords, devices,
// certificates, instance profiles and the like there is nothing, except the lists that Terraform reads before
// it deletes a user or a role, which are empty.
//
// 2026-11-21: what permission is asked for goes by the action alone, for parameters that it does not have are the
// client's to add. A new name or path of a user or a group needs the permission as the old one does.
//
// 2026-11-22: names of a user's and a role's tags differ in more than their case, which is kept; those of policies need not. So IAM's
// manual has it ("Tags for IAM resources"), and else a policy's aws:PrincipalTag/team would be either.
//
// 2026-11-21: a list's marker is the core's cursor; an entry that is created meanwhile is seen or not, but none is
// seen twice.
package iam
