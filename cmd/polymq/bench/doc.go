// Package bench is "polymq bench", a load generator that speaks the queue protocols as a client
// does, to polymq or to any other server of them.
package bench
