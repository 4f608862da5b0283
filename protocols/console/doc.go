// Package console is polymq for people: pages under /console that show and change what the protocols hold.
// A browser that asks for / is led there; an SDK never is (Wants).
//
//	/console/ACCOUNT/REGION/               overview
//	/console/ACCOUNT/REGION/queues/orders  a queue; topics, trace, outbox, … likewise
//	/console/login, /console/assets/…      of no account
//
// Pages are rendered here (templates/*.html) and work without scripts as far as they change nothing by themselves.
// htmx loads parts of them anew, uPlot draws the charts of the overview; both lie in assets with their licences,
// as they were published (htmx.org 2.0.11, uplot 1.6.32), so that nothing is built and nothing is loaded from
// elsewhere. assets/console.js is all of the console's own script.
//
// # A new page
//
// A page is a template, a method of Server and a row of the table in routes.go; a row of navigation
// (navigation.go) shows it to people. Its texts are English in the template, {{t "Queues"}}, and have their
// Chinese in chinese.go: a test names those that are missing. Calls of SDKs that do what the page does are made
// in snippets.go: those of AWS are data, which aws_calls.go writes in each language; those of MNS, whose SDKs have little in common,
// stand in mns_calls.go as they are. sdktests runs all of them (TestSnippets).
//
// # Access
//
// While nothing is verified anybody may use the console, as anybody may use the protocols. Where signatures are
// verified, an access key that is granted access opens a session (access.go): a viewer looks, and sees bodies of
// messages only if that is allowed; an operator changes queues, topics and messages; an admin manages users, policies and
// keys. All of it in the key's own account, unless it is an administrator's of all. Each route names its need, and
// templates leave out what the visitor may not do.
//
// A session is a cookie (HttpOnly, SameSite=Strict, sessionLife long) that names the key and is sealed with the key's
// secret and with a secret that all servers share. So a session ends with its key or its access, and holds on every
// server. Whom a trusted proxy has signed on needs no login; who logs in nevertheless acts by that key.
//
// A request that changes something must come from a page of the console itself: Sec-Fetch-Site, or else Origin,
// must say so, and the form must carry the session's token. Pages load scripts and styles from this server only
// (Content-Security-Policy) and are shown in no frame.
//
// What is changed here is audited as what protocols change is (audit.go), without bodies and secrets.
//
// # Decisions
//
// 2026-11-21: account and region stand in the path and not in a cookie: a link shows others the same page, and
// two tabs can show two accounts.
//
// 2026-11-21: the console calls the Broker and not the JSON API. Both are protocols over the same core; one on top of
// the other would decode everything twice.
//
// 2026-11-21: texts are looked up by their English. Keys of their own would have to be looked up by whoever reads a
// template.
//
// 2026-11-21: a search goes on when it is asked to and not by itself: who has found the message should not pay for
// the rest of a queue of millions.
//
// 2026-11-21: the core's errors are in English, with names and numbers in them. In Chinese the meaning of the code stands
// before them (errors.go): to translate each sentence of the core here would be guessing what it says.
//
// 2026-11-21: who may not see bodies sees no attributes of messages either, in the message log too, and can search for
// neither: a search that finds tells what is written.
//
// 2026-11-22: AWS's SDKs are made from one model and differ in how a call is spelled, so that is all that is said of them here. Code that
// was written by hand five times over would be right on the page that somebody has tried.
package console
