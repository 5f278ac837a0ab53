package vivavoce

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http/httptest"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	userv1 "vivavoce.example/go/gen/vivavoce/user/v1"
)

// door is a server that knows one token at a time.
type door struct {
	userv1.UnimplementedUserServiceServer
	valid string
	made  int
}

func (d *door) CreateGuest(context.Context, *userv1.CreateGuestRequest) (*userv1.CreateGuestResponse, error) {
	d.made++
	return &userv1.CreateGuestResponse{Tokens: &userv1.Tokens{AccessToken: d.valid, RefreshToken: "refresh"}}, nil
}

func (d *door) RefreshTokens(_ context.Context, request *userv1.RefreshTokensRequest) (*userv1.RefreshTokensResponse, error) {
	if request.GetRefreshToken() != "refresh" {
		return nil, refused("TOKEN_INVALID")
	}
	return &userv1.RefreshTokensResponse{Tokens: &userv1.Tokens{AccessToken: d.valid, RefreshToken: "refresh"}}, nil
}

func (d *door) GetUser(ctx context.Context, _ *userv1.GetUserRequest) (*userv1.GetUserResponse, error) {
	asked, _ := metadata.FromIncomingContext(ctx)
	if token := asked.Get("authorization"); len(token) != 1 || token[0] != "Bearer "+d.valid {
		return nil, refused("TOKEN_INVALID")
	}
	return &userv1.GetUserResponse{User: &userv1.User{UserId: "usr_1"}}, nil
}

func refused(reason string) error {
	told, err := status.New(codes.Unauthenticated, "Sign in again.").WithDetails(
		&errdetails.ErrorInfo{Reason: reason, Domain: "vivavoce"},
	)
	if err != nil {
		return err
	}
	return told.Err()
}

// reached gives a client of the door, which lasts as long as the test.
func reached(t *testing.T, d *door, secured credentials.TransportCredentials, options ...Option) *Client {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.Creds(secured))
	userv1.RegisterUserServiceServer(server, d)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	client, err := Dial(listener.Addr().String(), options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func getUser(t *testing.T, client *Client) error {
	t.Helper()
	_, err := userv1.NewUserServiceClient(client.Conn()).GetUser(t.Context(), &userv1.GetUserRequest{})
	return ErrorOf(err)
}

func TestACallIsMadeAsOneGuestAndAgainWhereTheTokenHasExpired(t *testing.T) {
	d := &door{valid: "first"}
	client := reached(t, d, nil)
	if err := getUser(t, client); err != nil {
		t.Fatal(err)
	}
	d.valid = "second"
	if err := getUser(t, client); err != nil {
		t.Fatal(err)
	}
	if d.made != 1 {
		t.Fatalf("%d guests were made", d.made)
	}
}

func TestATokenThatNothingRenewsIsToldAsWhatItIs(t *testing.T) {
	client := reached(t, &door{valid: "another"}, nil, WithToken("mine"))
	if err := getUser(t, client); ReasonOf(err) != "TOKEN_INVALID" {
		t.Fatalf("it was told %v", err)
	}
}

func TestAServerIsCheckedAgainstItsRoots(t *testing.T) {
	web := httptest.NewTLSServer(nil)
	defer web.Close()
	secured := credentials.NewServerTLSFromCert(&web.TLS.Certificates[0])
	roots := x509.NewCertPool()
	roots.AddCert(web.Certificate())
	trusting := reached(t, &door{valid: "mine"}, secured, WithToken("mine"), WithTLS(&tls.Config{RootCAs: roots}))
	if err := getUser(t, trusting); err != nil {
		t.Fatal(err)
	}
	doubting := reached(t, &door{valid: "mine"}, secured, WithToken("mine"), WithTLS(&tls.Config{}))
	if err := getUser(t, doubting); ReasonOf(err) != "SERVICE_UNAVAILABLE" {
		t.Fatalf("a certificate nobody vouches for was told %v", err)
	}
}
