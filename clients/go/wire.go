package vivavoce

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	conversationv1 "vivavoce.example/go/gen/vivavoce/conversation/v1"
)

// A wire that takes nothing for so long is cut.
const writeTimeout = 10 * time.Second

// wire carries requests out and responses in, in order. Send may be called by several goroutines, Receive by one.
type wire interface {
	Send(*conversationv1.ConverseRequest) error
	// Receive gives io.EOF after the last response.
	Receive() (*conversationv1.ConverseResponse, error)
	Close()
}

// grpcWire is one gRPC stream.
type grpcWire struct {
	stream conversationv1.ConversationService_ConverseClient
	cancel context.CancelFunc
	// gRPC takes one message at a time.
	turn sync.Mutex
}

func newGrpcWire(ctx context.Context, service conversationv1.ConversationServiceClient, token string) (*grpcWire, error) {
	ctx, cancel := context.WithCancel(authorized(ctx, token))
	stream, err := service.Converse(ctx)
	if err != nil {
		cancel()
		return nil, ErrorOf(err)
	}
	return &grpcWire{stream: stream, cancel: cancel}, nil
}

func (w *grpcWire) Send(request *conversationv1.ConverseRequest) error {
	w.turn.Lock()
	defer w.turn.Unlock()
	overdue := time.AfterFunc(writeTimeout, w.cancel)
	defer overdue.Stop()
	if err := w.stream.Send(request); err != nil {
		// Whoever receives learns why it has ended.
		return unreachable("The wire is cut.")
	}
	return nil
}

func (w *grpcWire) Receive() (*conversationv1.ConverseResponse, error) {
	response, err := w.stream.Recv()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, ErrorOf(err)
	}
	return response, err
}

func (w *grpcWire) Close() { w.cancel() }
