package vivavoce

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	typev1 "vivavoce.example/go/gen/vivavoce/type/v1"
)

const reasonPrefix = "ERROR_REASON_"

// Error is what the server refused, or that it can't be reached.
type Error struct {
	// Message says what happened and what can be done about it, for people.
	Message string
	// Reason is a name of ErrorReason without its prefix, such as "NOT_FOUND".
	Reason string
	// Field is the path of the field at fault, where there is one.
	Field string
	// Metadata is what else the server tells programs.
	Metadata map[string]string
	// Code is that of gRPC; OK where a session ended with the failure.
	Code codes.Code
	// Retryable says whether the same may succeed after a while.
	Retryable bool
}

func (e *Error) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("%s (%s)", e.Message, e.Reason)
	}
	return fmt.Sprintf("%s (%s, %s)", e.Message, e.Reason, e.Field)
}

// ReasonOf gives the reason of an error of this package, and "" of any other.
func ReasonOf(err error) string {
	var known *Error
	if errors.As(err, &known) {
		return known.Reason
	}
	return ""
}

// ErrorOf reads the error of a call that was made with a generated stub. Errors of a context stay what they are.
func ErrorOf(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	told := status.Convert(err)
	read := &Error{Message: told.Message(), Code: told.Code()}
	for _, detail := range told.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			read.Reason, read.Metadata = detail.GetReason(), detail.GetMetadata()
		case *errdetails.BadRequest:
			if violations := detail.GetFieldViolations(); len(violations) > 0 {
				read.Field = violations[0].GetField()
			}
		}
	}
	switch read.Code {
	// What a cut wire looks like; anything else is an answer.
	case codes.Unavailable, codes.Canceled, codes.Unknown:
		read.Retryable = true
		read.Reason = or(read.Reason, "SERVICE_UNAVAILABLE")
	case codes.ResourceExhausted, codes.Aborted:
		read.Retryable = true
	default:
	}
	read.Reason = or(read.Reason, "INTERNAL")
	return read
}

// ErrorOfFailure reads a failure that was told inside a stream, such as that of ErrorRaised.
func ErrorOfFailure(failure *typev1.Failure) *Error {
	reason := "INTERNAL"
	if name, known := typev1.ErrorReason_name[int32(failure.GetReason())]; known {
		reason = strings.TrimPrefix(name, reasonPrefix)
	}
	return &Error{
		Message:   failure.GetMessage(),
		Reason:    reason,
		Field:     failure.GetField(),
		Retryable: failure.GetRetryable(),
	}
}

func unreachable(message string) *Error {
	return &Error{Message: message, Reason: "SERVICE_UNAVAILABLE", Code: codes.Unavailable, Retryable: true}
}

// isCut tells a wire that broke from an answer.
func isCut(err error) bool {
	var known *Error
	if !errors.As(err, &known) {
		return false
	}
	switch known.Code {
	case codes.Unavailable, codes.Canceled, codes.Unknown:
		return true
	default:
		return false
	}
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
