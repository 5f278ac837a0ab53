package vivavoce

import (
	conversationv1 "vivavoce.example/go/gen/vivavoce/conversation/v1"
)

// Requests of the stream, each around one of the events that a client may tell.

func starting(start *conversationv1.StartSession) *conversationv1.ConverseRequest {
	return &conversationv1.ConverseRequest{Event: &conversationv1.ConverseRequest_StartSession{StartSession: start}}
}

func sounding(piece *conversationv1.AppendAudio) *conversationv1.ConverseRequest {
	return &conversationv1.ConverseRequest{Event: &conversationv1.ConverseRequest_AppendAudio{AppendAudio: piece}}
}

func writing(text *conversationv1.SubmitText) *conversationv1.ConverseRequest {
	return &conversationv1.ConverseRequest{Event: &conversationv1.ConverseRequest_SubmitText{SubmitText: text}}
}

func reporting(replyID string, samples int64) *conversationv1.ConverseRequest {
	played := &conversationv1.ReportPlayed{ReplyId: replyID, Samples: samples}
	return &conversationv1.ConverseRequest{Event: &conversationv1.ConverseRequest_ReportPlayed{ReportPlayed: played}}
}

func refreshing(token string) *conversationv1.ConverseRequest {
	refresh := &conversationv1.RefreshAccess{AccessToken: token}
	return &conversationv1.ConverseRequest{Event: &conversationv1.ConverseRequest_RefreshAccess{RefreshAccess: refresh}}
}
