/**
 * Draws two surfaces with WebGL: findings solid, lung translucent around them. It lives in the worker: without a graphics
 * card to help, setting up and drawing take tenths of a second, and the page goes on meanwhile.
 */
import type { Mesh } from "./mesh";

/** Yaw and pitch in radians; 0 and 0 looks at the patient from the front. */
export type Turn = readonly [yaw: number, pitch: number];

const VERTEX = `#version 300 es
in vec3 place; in vec3 normal; in vec3 colour;
uniform mat3 turn; uniform vec2 scale;
out vec3 n; out vec3 c;
void main() {
  vec3 at = turn * place;
  n = turn * normal; c = colour;
  gl_Position = vec4(at.x * scale.x, at.y * scale.y, -at.z * 0.001, 1.0);
}`;
const FRAGMENT = `#version 300 es
precision mediump float;
in vec3 n; in vec3 c; uniform float glass; out vec4 pixel;
void main() {
  float facing = abs(normalize(n).z);
  vec3 light = normalize(vec3(0.35, 0.5, 0.8)); vec3 m = normalize(n); if (m.z < 0.0) m = -m;
  float lit = 0.3 + 0.7 * max(0.0, dot(m, light));
  float alpha = glass > 0.0 ? 0.03 + 0.34 * pow(1.0 - facing, 1.6) : 1.0;
  pixel = vec4(c * (glass > 0.0 ? 1.0 : lit) * alpha, alpha);
}`;

const LUNG: readonly [number, number, number] = [0x7f / 255, 0xb8 / 255, 0xcc / 255];

interface Loaded {
  array: WebGLVertexArrayObject;
  buffers: WebGLBuffer[];
  count: number;
}

export class Scene {
  private readonly gl: WebGL2RenderingContext;
  private readonly program: WebGLProgram;
  private lung: Loaded | null = null;
  private findings: Loaded | null = null;
  private turnBy: Turn = [0, 0];
  private near = 1;
  private reachMm = 200;
  private frame = 0;
  lungShown = true;

  constructor(
    private readonly canvas: OffscreenCanvas,
    /** The turn changed: screen directions (x right, y up) of patient left, back and head. */
    private readonly turned: (axes: readonly [number, number][]) => void,
  ) {
    const gl = canvas.getContext("webgl2", { antialias: true, alpha: false, powerPreference: "low-power" });
    if (!gl) throw new Error("This browser draws no 3D (WebGL 2 is off): the surface cannot be shown.");
    this.gl = gl;
    this.program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]] as const) {
      const shader = gl.createShader(kind)!;
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(this.program, shader);
    }
    gl.linkProgram(this.program);
    if (!gl.getProgramParameter(this.program, gl.LINK_STATUS)) throw new Error("The surface cannot be drawn here.");
  }

  show(lung: Mesh, findings: Mesh, colours: ReadonlyMap<number, readonly [number, number, number]>): void {
    this.forget();
    this.lung = this.load(lung, () => LUNG);
    this.findings = this.load(findings, (point) => {
      const [r, g, b] = colours.get(findings.labels[point]) ?? [230, 159, 0];
      return [r / 255, g / 255, b / 255];
    });
    let reach = 1;
    for (const { positions } of [lung, findings]) {
      for (let p = 0; p < positions.length; p += 3) reach = Math.max(reach, Math.hypot(positions[p], positions[p + 1], positions[p + 2]));
    }
    this.reachMm = reach;
    this.draw();
  }

  private load(mesh: Mesh, colour: (point: number) => readonly [number, number, number]): Loaded {
    const { gl } = this;
    const colours = new Float32Array(mesh.positions.length);
    for (let p = 0; p < colours.length / 3; p++) colours.set(colour(p), 3 * p);
    const array = gl.createVertexArray();
    gl.bindVertexArray(array);
    const buffers: WebGLBuffer[] = [];
    for (const [name, data] of [["place", mesh.positions], ["normal", mesh.normals], ["colour", colours]] as const) {
      const buffer = gl.createBuffer();
      buffers.push(buffer);
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.bufferData(gl.ARRAY_BUFFER, data, gl.STATIC_DRAW);
      const at = gl.getAttribLocation(this.program, name);
      gl.enableVertexAttribArray(at);
      gl.vertexAttribPointer(at, 3, gl.FLOAT, false, 0, 0);
    }
    const index = gl.createBuffer();
    buffers.push(index);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, index);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, mesh.triangles, gl.STATIC_DRAW);
    gl.bindVertexArray(null);
    return { array, buffers, count: mesh.triangles.length };
  }

  look(turn: Turn): void {
    this.turnBy = turn;
    this.draw();
  }

  rotate(dx: number, dy: number): void {
    const [yaw, pitch] = this.turnBy;
    this.look([yaw - dx * 0.01, Math.max(-Math.PI / 2, Math.min(Math.PI / 2, pitch + dy * 0.01))]);
  }

  /** In pixels of the screen. */
  resize(width: number, height: number): void {
    [this.canvas.width, this.canvas.height] = [width, height];
    this.draw();
  }

  zoom(factor: number): void {
    this.near = Math.max(0.5, Math.min(8, this.near * factor));
    this.draw();
  }

  draw(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.drawNow();
    });
  }

  /** Rows: screen right, up, towards the eye, in LPS. From the front, patient left is right and head is up. */
  private get rows(): [number, number, number][] {
    const [yaw, pitch] = this.turnBy;
    const [cy, sy, cp, sp] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
    const right: [number, number, number] = [cy, sy, 0];
    const level: [number, number, number] = [sy, -cy, 0];
    return [right, [-level[0] * sp, -level[1] * sp, cp], [level[0] * cp, level[1] * cp, sp]];
  }

  private drawNow(): void {
    const { gl, canvas } = this;
    const { width, height } = canvas;
    const rows = this.rows;
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.useProgram(this.program);
    const where = (name: string): WebGLUniformLocation | null => gl.getUniformLocation(this.program, name);
    // Columns first.
    gl.uniformMatrix3fv(where("turn"), false, [0, 1, 2].flatMap((column) => rows.map((row) => row[column])));
    const per = (0.92 * this.near) / this.reachMm;
    gl.uniform2f(where("scale"), per * Math.min(1, height / width), per * Math.min(1, width / height));
    gl.enable(gl.DEPTH_TEST);
    gl.disable(gl.BLEND);
    gl.depthMask(true);
    this.drawMesh(this.findings, 0);
    if (this.lungShown) {
      gl.enable(gl.BLEND);
      gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
      gl.depthMask(false);
      this.drawMesh(this.lung, 1);
      gl.depthMask(true);
    }
    this.turned([0, 1, 2].map((axis) => [rows[0][axis], rows[1][axis]]));
  }

  private drawMesh(mesh: Loaded | null, glass: number): void {
    if (!mesh?.count) return;
    const { gl } = this;
    gl.uniform1f(gl.getUniformLocation(this.program, "glass"), glass);
    gl.bindVertexArray(mesh.array);
    gl.drawElements(gl.TRIANGLES, mesh.count, gl.UNSIGNED_INT, 0);
    gl.bindVertexArray(null);
  }

  private forget(): void {
    for (const mesh of [this.lung, this.findings]) {
      if (!mesh) continue;
      this.gl.deleteVertexArray(mesh.array);
      mesh.buffers.forEach((buffer) => this.gl.deleteBuffer(buffer));
    }
    this.lung = this.findings = null;
  }
}
