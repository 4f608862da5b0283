//go:build !linux

package main

// releaseProgram does nothing: only Linux counts the pages of the program's file as the process's own.
func releaseProgram() error { return nil }
