// The shape of the orb at one moment.

export interface OrbLook {
  /** How loud whoever speaks is, 0 to 1. */
  level: number;
  /** Seconds that pass for the shape. */
  time: number;
  colour: string;
}

const POINTS = 72;
const LAYERS = [
  { size: 1, alpha: 0.16, turn: 0.35, wave: 3 },
  { size: 0.86, alpha: 0.28, turn: -0.5, wave: 4 },
  { size: 0.7, alpha: 1, turn: 0.7, wave: 5 },
] as const;

export function drawOrb(context: CanvasRenderingContext2D, size: number, { level, time, colour }: OrbLook): void {
  context.fillStyle = colour;
  const breath = Math.sin(time * 1.4) * 0.012;
  for (const layer of LAYERS) {
    const radius = size * 0.5 * layer.size * (0.66 + 0.3 * level + breath);
    context.globalAlpha = layer.alpha;
    context.beginPath();
    for (let point = 0; point <= POINTS; point += 1) {
      const angle = (point / POINTS) * 2 * Math.PI;
      const ripple = Math.sin(angle * layer.wave + time * layer.turn * 6) * 0.05 * level;
      const swell = Math.sin(angle * 2 - time * layer.turn * 2) * (0.015 + 0.04 * level);
      const at = radius * (1 + ripple + swell);
      context.lineTo(size / 2 + Math.cos(angle) * at, size / 2 + Math.sin(angle) * at);
    }
    context.fill();
  }
  context.globalAlpha = 1;
}
