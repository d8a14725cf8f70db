/** `/_local/faults`: incidents over HTTP. */
import type { WireRequest } from '../wire/http';
import { jsonResponse, type Route } from '../wire/server';
import { IncidentRefused, type Incidents, parseIncident } from '.';

/** The routes by method and path: POST makes something go wrong, GET lists what goes on, DELETE ends what can end. */
export function incidentRoutes(incidents: Incidents): Record<string, Route> {
  return {
    'GET /_local/faults': () => jsonResponse(incidents.list()),
    'DELETE /_local/faults': () => jsonResponse(incidents.clear()),
    'POST /_local/faults': (request) => {
      try {
        return jsonResponse(incidents.inject(parseIncident(json(request))));
      } catch (error) {
        if (!(error instanceof IncidentRefused)) throw error;
        const { status, message, faults } = error;
        return jsonResponse({ error: message, ...(faults.length === 0 ? {} : { faults }) }, status);
      }
    },
  };
}

function json({ body }: WireRequest): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new IncidentRefused(400, `the body is not JSON: ${reason}`);
  }
}
