// Package migrations holds the schema as goose migrations, one change per file, never edited once
// released. Names are unqualified: whoever applies them sets search_path to polymq's schema.
package migrations

import "embed"

// FS holds the migrations.
//
//go:embed *.sql
var FS embed.FS
