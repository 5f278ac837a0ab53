// A calm shape that moves with whoever speaks. Drawn outside React: it changes with every frame.

import { useEffect, useRef } from "react";
import type { Call } from "../../call/call";
import styles from "./Orb.module.css";
import { drawOrb, type OrbLook } from "./orbShape";

const SIZE = 128;
/** How fast the shape follows the voice, per frame: up at once, down gently. */
const RISES = 0.5;
const FALLS = 0.08;

export function Orb({ call }: { call: Call }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (!element || !context) return;
    const scale = window.devicePixelRatio || 1;
    element.width = element.height = SIZE * scale;
    context.scale(scale, scale);
    return animate(call, context, getComputedStyle(element));
  }, [call]);
  return (
    <div aria-hidden="true">
      <canvas ref={canvas} className={styles.orb} width={SIZE} height={SIZE} />
    </div>
  );
}

function animate(call: Call, context: CanvasRenderingContext2D, style: CSSStyleDeclaration): () => void {
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  const look: OrbLook = { level: 0, time: 0, colour: "" };
  let frame = 0;
  const draw = (now: number) => {
    const { phase, floor } = call.talk.get();
    const speaks = phase !== "talking" ? "nobody" : floor === "tutor" ? "tutor" : "learner";
    const levels = call.sound.levels();
    const target = speaks === "nobody" || still.matches ? 0 : Math.min(1, levels[speaks] * 1.6);
    look.level += (target - look.level) * (target > look.level ? RISES : FALLS);
    look.time = still.matches ? 0 : now / 1000;
    look.colour = style.getPropertyValue(speaks === "nobody" ? "--soft" : `--${speaks}`);
    context.clearRect(0, 0, SIZE, SIZE);
    drawOrb(context, SIZE, look);
    frame = requestAnimationFrame(draw);
  };
  frame = requestAnimationFrame(draw);
  return () => cancelAnimationFrame(frame);
}
