// Package progress tells whoever waits at a terminal, or reads the log of a job, what a command is doing.
package progress
