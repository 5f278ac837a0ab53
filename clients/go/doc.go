// Package vivavoce holds conversations with a Vivavoce server: it signs in, sends what a learner says, gives typed events
// and sound, and outlasts cuts.
//
// [Dial] makes a [Client], [Client.Talk] a [Conversation]. Its events are the messages of converse.proto; beside this
// package, below gen, are the generated stubs of every service, for which [Client.Conn] is the connection.
package vivavoce
