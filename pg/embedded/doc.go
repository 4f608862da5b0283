// Package embedded runs a private PostgreSQL.
package embedded
