// Package aliyunsts speaks Alibaba's Security Token Service, version 2015-04-01: who am I, and temporary keys
// for a role (specs/mns-openapi.md 11). How requests are read, verified and answered is package openapi's.
//
// Temporary keys are core.Keys that end, with a token that requests must carry: in the header security-token to
// MNS, in x-acs-security-token or the parameter SecurityToken to the management services. They outlive the
// server, and are refused when they are over.
//
// Roles are as in package sts, which speaks AWS's service of that name: any may be assumed, where signatures
// are verified only in the caller's own account, or by an administrator in any. Alibaba's accounts have
// sixteen digits and polymq's have twelve; an ARN with another number than of twelve digits means the
// caller's own account, as in the endpoints of MNS's queues.
//
// # Decisions
//
// 2026-11-21: ids of users and roles are derived from their names, so that they are the same on every server
// and each time.
//
// 2026-11-21: the account itself may assume roles. The service wants a RAM user for that, but who has one key
// for all would have to make a second one here for nothing.
//
// 2026-11-22: in a chain of roles SourceIdentity passes on and cannot be changed, as RAM's manual has it; the code of the error is
// not known.
//
// 2026-11-21: a session lasts twelve hours at most, the most that a role can be given.
package aliyunsts
