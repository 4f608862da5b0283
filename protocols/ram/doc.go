// Package ram speaks the part of Alibaba Cloud's Resource Access Management, version 2015-05-01, that programs use
// to make users, groups, roles, policies and access keys, in the RPC style of package openapi.
//
// What it manages is core's, and shared with IAM (package iam), the JSON API and the command line: users and groups
// are both clouds' at once. Only RAM's policies and roles are seen here; policies of IAM that are attached
// to a user stay where they are, and keep it from being deleted as RAM's do.
//
// Who may call it is as in package iam.
//
// # Decisions
//
// 2026-11-21: a user's display name, phone and mail, which nothing but RAM has, are kept as a record beside the user.
//
// 2026-11-21: ids are derived from the core's, which have AWS's form, as package aliyunsts shows them too, so that
// both tell the same of a user or a role.
//
// 2026-11-21: codes of errors name what is missing, taken or in the way (EntityNotExist.User,
// DeleteConflict.User.Policy), as RAM's do.
//
// 2026-11-22: names, texts and documents are of the length and form that RAM's manual has, with a code for each
// (InvalidParameter.UserName.InvalidChars). Only what is given a name here is held to it: what IAM made is found by
// whatever name it has. To attach what is attached, or to join a group twice, is an error, unlike with IAM.
// How many users, groups and policies there can be is the core's, which has more of each than RAM.
package ram
