// Package docs is polymq's documentation: pages in Markdown, which people read in the repository, and which a
// server shows to browsers under /docs/.
//
// A block marked "sh run" is run by a test (cmd/polymq), in a shell and against a server, in the order of the
// page. Every link, flag, variable and command of polymq that a page names is looked up by tests.
//
// # Decisions
//
// 2026-11-21: pages are shown to browsers alone, which ask for HTML and sign nothing: a path below /docs is
// also one that another emulator may serve (--forward-unknown), as a bucket's.
//
// 2026-11-21: pages have a style sheet of their own. The console's comes with the console, which can be off.
package docs
