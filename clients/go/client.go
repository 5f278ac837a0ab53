package vivavoce

import (
	"context"
	"crypto/tls"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	conversationv1 "vivavoce.example/go/gen/vivavoce/conversation/v1"
	userv1 "vivavoce.example/go/gen/vivavoce/user/v1"
)

const defaultName = "vivavoce go"

// Option changes how a Client is made.
type Option func(*settings)

type settings struct {
	token string
	name  string
	tls   *tls.Config
}

// WithToken calls in the name of whom an access token or a personal access token ("vvk_…") belongs to.
func WithToken(token string) Option { return func(s *settings) { s.token = token } }

// WithTLS checks the server's certificate; the zero Config does so against the roots of the machine.
func WithTLS(config *tls.Config) Option { return func(s *settings) { s.tls = config } }

// WithName names the program for diagnosis, with its version.
func WithName(name string) Option { return func(s *settings) { s.name = name } }

// Client is a way to one server, and a person who calls it. It may be used by several goroutines.
type Client struct {
	conn   *grpc.ClientConn
	access *access
	name   string
}

// Dial makes a client of the server at address, host:port. It connects with the first call. Without a token it calls as a
// new guest, unless it logs in.
func Dial(address string, options ...Option) (*Client, error) {
	chosen := settings{name: defaultName}
	for _, option := range options {
		option(&chosen)
	}
	who := &access{client: chosen.name, token: chosen.token}
	secured := insecure.NewCredentials()
	if chosen.tls != nil {
		secured = credentials.NewTLS(chosen.tls)
	}
	conn, err := grpc.NewClient(address,
		grpc.WithTransportCredentials(secured),
		grpc.WithUnaryInterceptor(who.intercept),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 25 * time.Second, Timeout: 10 * time.Second}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second},
			MinConnectTimeout: 5 * time.Second,
		}),
	)
	if err != nil {
		return nil, err
	}
	who.user = userv1.NewUserServiceClient(conn)
	return &Client{conn: conn, access: who, name: chosen.name}, nil
}

// Close ends the connection, and every conversation on it.
func (c *Client) Close() error { return c.conn.Close() }

// Conn is the connection for generated stubs. Unary calls on it are made in the person's name, and again with a fresh token
// where the old one has expired; [ErrorOf] reads what they fail with.
func (c *Client) Conn() grpc.ClientConnInterface { return c.conn }

// LogIn calls in the name of a person with an account from now on.
func (c *Client) LogIn(ctx context.Context, email, password string) error {
	return c.access.logIn(ctx, email, password)
}

func (c *Client) openWire(ctx context.Context) (wire, error) {
	token, err := c.access.current(ctx)
	if err != nil {
		return nil, err
	}
	return newGrpcWire(ctx, conversationv1.NewConversationServiceClient(c.conn), token)
}
